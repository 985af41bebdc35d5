use serde_json::{Value, json};

use super::*;

/// 2026-01-25T15:30:00Z.
const NOW: Timestamp = Timestamp(1_769_355_000_000_000);
const SECRET: &[u8] = b"an insecure secret of the Django project";
const AMY: UserId = UserId(7);

/// Issued by Simple JWT 5.5.1 with [`SECRET`] at [`NOW`] for five minutes, with a custom claim.
const DJANGO_ACCESS: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoiYWNjZXNzIiwiZXhwIjoxNzY5MzU1MzAwLCJpYXQiOjE3NjkzNTUwMDAsImp0aSI6IjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmIiwidXNlcl9pZCI6IjciLCJpc19zdGFmZiI6dHJ1ZX0.rV4RvK4ZiwbhUcDdD0Wm_ulP8VAyDw-vgsZHPd3iNgU";
/// The same as a refresh token, for a day.
const DJANGO_REFRESH: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCIsImV4cCI6MTc2OTQ0MTQwMCwiaWF0IjoxNzY5MzU1MDAwLCJqdGkiOiIwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZiIsInVzZXJfaWQiOiI3IiwiaXNfc3RhZmYiOnRydWV9.w1r9M9T3VBN8LKypUXk4S9XNLljzXnGZ_-fBMvRJrA8";

fn tokens() -> Tokens {
    Tokens::new(SECRET, Duration::from_hours(1), Duration::from_hours(7 * 24))
}

fn later(seconds: i64) -> Timestamp {
    NOW.plus_micros(seconds * 1_000_000)
}

/// A token with these claims, signed with [`SECRET`].
fn signed(claims: &Value) -> String {
    signed_by(Algorithm::HS256, SECRET, claims)
}

fn signed_by(algorithm: Algorithm, secret: &[u8], claims: &Value) -> String {
    hmac::install();
    jsonwebtoken::encode(&Header::new(algorithm), claims, &EncodingKey::from_secret(secret)).expect("signed")
}

/// Valid claims of an access token, with `changes`; null removes a claim.
fn claims(changes: &Value) -> Value {
    let mut claims = json!({
        "token_type": "access", "exp": NOW.unix_seconds() + 60, "iat": NOW.unix_seconds(),
        "jti": "0123456789abcdef0123456789abcdef", "user_id": "7",
    });
    let all = claims.as_object_mut().expect("an object");
    for (name, value) in changes.as_object().expect("an object") {
        all.insert(name.clone(), value.clone());
    }
    all.retain(|_, value| !value.is_null());
    claims
}

fn read(token: &str) -> Result<TokenClaims, TokenError> {
    tokens().read(token, Some(TokenType::Access), NOW)
}

fn read_changed(changes: &Value) -> Result<UserId, TokenError> {
    read(&signed(&claims(changes))).map(|claims| claims.user)
}

#[test]
fn a_token_is_valid_for_its_type_and_until_the_second_it_expires() {
    let tokens = tokens();
    let access = tokens.access(AMY, &SignInId::new("first"), NOW).expect("minted");
    let Minted { token: refresh, jti, sign_in, expires_at } = tokens.refresh(AMY, None, NOW).expect("minted");
    assert_eq!(sign_in.as_str(), jti, "a new sign-in has the name of its first token");
    let noted = tokens.read(&refresh, None, NOW).expect("good");
    assert_eq!((noted.jti, noted.expires_at, noted.issued_at), (jti, expires_at, NOW));
    let read = |token: &str, wanted, now| tokens.read(token, wanted, now).map(|claims| claims.user);
    let (is_access, is_refresh) = (Some(TokenType::Access), Some(TokenType::Refresh));
    assert_eq!(read(&access, is_access, later(3_599)), Ok(AMY));
    assert_eq!(read(&access, is_access, later(3_600)), Err(TokenError::Expired));
    assert_eq!(read(&refresh, is_refresh, later(7 * 86_400 - 1)), Ok(AMY));
    assert_eq!(read(&refresh, is_refresh, later(7 * 86_400)), Err(TokenError::Expired));
    assert_eq!(read(&access, is_refresh, NOW), Err(TokenError::WrongType));
    assert_eq!(read(&refresh, is_access, NOW), Err(TokenError::WrongType));
    assert_eq!(read(&access, None, NOW), Ok(AMY));
    assert_eq!(read(&refresh, None, NOW), Ok(AMY));
}

#[test]
fn a_new_token_has_simple_jwts_claims_and_its_sign_in() {
    let token = tokens().access(AMY, &SignInId::new("first"), NOW).expect("minted");
    let header = jsonwebtoken::decode_header(&token).expect("a header");
    assert_eq!((header.alg, header.typ.as_deref()), (Algorithm::HS256, Some("JWT")));
    let mut validation = Validation::new(Algorithm::HS256);
    validation.validate_exp = false;
    let claims = jsonwebtoken::decode::<Value>(&token, &DecodingKey::from_secret(SECRET), &validation)
        .expect("decoded")
        .claims;
    let jti = claims["jti"].as_str().expect("an id");
    assert!(jti.len() == 32 && jti.bytes().all(|byte| byte.is_ascii_hexdigit()), "{jti}");
    let now = NOW.unix_seconds();
    let expected = json!({"token_type": "access", "exp": now + 3_600, "iat": now, "jti": jti, "user_id": "7", "sign_in": "first"});
    assert_eq!(claims, expected);
    assert_ne!(
        token,
        tokens().access(AMY, &SignInId::new("first"), NOW).expect("minted"),
        "each has an id of its own"
    );
}

#[test]
fn simple_jwts_tokens_are_accepted() {
    let id = "0123456789abcdef0123456789abcdef";
    let expected = TokenClaims {
        jti: id.into(),
        // It has no sign-in claim, so it is a sign-in of its own.
        sign_in: SignInId::new(id),
        user: AMY,
        issued_at: NOW,
        expires_at: later(300),
    };
    assert_eq!(read(DJANGO_ACCESS), Ok(expected));
    assert_eq!(tokens().read(DJANGO_ACCESS, Some(TokenType::Access), later(300)), Err(TokenError::Expired));
    assert_eq!(read(DJANGO_REFRESH), Err(TokenError::WrongType));
    let refresh = tokens().read(DJANGO_REFRESH, Some(TokenType::Refresh), NOW).expect("good");
    assert_eq!(refresh.expires_at, later(86_400));
}

#[test]
fn the_user_may_be_a_string_or_an_integer_and_nothing_else() {
    assert_eq!(read_changed(&json!({"user_id": "7"})), Ok(AMY));
    assert_eq!(read_changed(&json!({"user_id": 7})), Ok(AMY));
    for nobody in [json!(null), json!("amy"), json!(""), json!(0), json!(-7), json!("9007199254740992")] {
        assert_eq!(read_changed(&json!({"user_id": nobody})), Err(TokenError::NoUser), "{nobody}");
    }
    for odd in [json!(7.5), json!([7]), json!({"id": 7}), json!(true)] {
        assert_eq!(read_changed(&json!({"user_id": odd})), Err(TokenError::Invalid), "{odd}");
    }
}

#[test]
fn missing_malformed_and_unknown_claims() {
    assert_eq!(read_changed(&json!({"iat": null, "aud": "others", "extra": [1, {"a": 2}]})), Ok(AMY));
    assert_eq!(read_changed(&json!({"exp": null})), Err(TokenError::NoExpiry));
    assert_eq!(read_changed(&json!({"exp": "tomorrow"})), Err(TokenError::Invalid));
    assert_eq!(read_changed(&json!({"exp": NOW.unix_seconds() - 1})), Err(TokenError::Expired));
    assert_eq!(read_changed(&json!({"nbf": NOW.unix_seconds() + 1})), Err(TokenError::Invalid));
    assert_eq!(read_changed(&json!({"nbf": NOW.unix_seconds()})), Ok(AMY));
    assert_eq!(read_changed(&json!({"jti": null})), Err(TokenError::NoId));
    assert_eq!(read_changed(&json!({"jti": "x".repeat(65)})), Err(TokenError::Invalid));
    for bad in [json!(""), json!("x".repeat(65)), json!("a\0b"), json!("first "), json!(7)] {
        assert_eq!(read_changed(&json!({"sign_in": bad})), Err(TokenError::Invalid), "{bad}");
    }
    assert_eq!(read_changed(&json!({"jti": " first"})), Err(TokenError::Invalid));
    assert_eq!(read_changed(&json!({"token_type": null})), Err(TokenError::NoType));
    assert_eq!(read_changed(&json!({"token_type": "sliding"})), Err(TokenError::WrongType));
}

#[test]
fn a_sign_in_is_named_by_its_first_token_and_kept_by_the_next() {
    let tokens = tokens();
    let first = tokens.refresh(AMY, None, NOW).expect("minted");
    assert_eq!(first.sign_in.as_str(), first.jti);
    let next = tokens.refresh(AMY, Some(&first.sign_in), NOW).expect("minted");
    assert_ne!(next.jti, first.jti);
    let access = tokens.access(AMY, &next.sign_in, NOW).expect("minted");
    for token in [first.token, next.token, access] {
        assert_eq!(tokens.read(&token, None, NOW).expect("good").sign_in, first.sign_in);
    }
}

#[test]
fn the_algorithm_is_pinned() {
    let good = claims(&json!({}));
    for other in [Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(read(&signed_by(other, SECRET, &good)), Err(TokenError::Invalid));
    }
    let [_, payload, signature] = parts(&signed(&good));
    // {"alg":"none","typ":"JWT"}, {"alg":"None"} and {"alg":"RS256"}.
    for header in ["eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0", "eyJhbGciOiJOb25lIn0", "eyJhbGciOiJSUzI1NiJ9"] {
        for signature in ["", signature.as_str()] {
            let forged = format!("{header}.{payload}.{signature}");
            assert_eq!(read(&forged), Err(TokenError::Invalid), "{forged}");
        }
    }
}

#[test]
fn tampered_tokens_are_invalid() {
    assert_eq!(
        read(&signed_by(Algorithm::HS256, b"another secret", &claims(&json!({})))),
        Err(TokenError::Invalid)
    );
    let [header, payload, signature] = parts(&signed(&claims(&json!({}))));
    let [_, other, _] = parts(&signed(&claims(&json!({"user_id": "1"}))));
    for forged in [
        format!("{header}.{other}.{signature}"),
        format!("{header}.{payload}."),
        format!("{header}.{payload}"),
        format!("{header}.{payload}.{signature}.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!(" {header}.{payload}.{signature}"),
        String::new(),
        "..".into(),
        "a.b.c".into(),
        "令牌".into(),
        "x".repeat(100_000),
    ] {
        assert_eq!(read(&forged), Err(TokenError::Invalid), "{forged:.80}");
    }
}

#[test]
fn an_overflowing_lifetime_is_clamped() {
    let endless = Tokens::new(SECRET, Duration::MAX, Duration::MAX);
    let token = endless.access(AMY, &SignInId::new("first"), NOW).expect("minted");
    assert_eq!(endless.read(&token, None, NOW).expect("good").user, AMY);
}

fn parts(token: &str) -> [String; 3] {
    let parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    parts.try_into().expect("three parts")
}

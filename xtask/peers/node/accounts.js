// Passwords and tokens.
import { randomBytes, scryptSync, timingSafeEqual } from "node:crypto";
import { createSigner, createVerifier } from "fast-jwt";

export function hash(password, salt = randomBytes(16).toString("hex")) {
  return `${salt}$${scryptSync(password, salt, 32).toString("hex")}`;
}

export function matches(password, stored) {
  const [salt, digest] = stored.split("$");
  // An account without a password has no salt.
  if (!digest) return false;
  return timingSafeEqual(Buffer.from(hash(password, salt)), Buffer.from(stored));
}

// Signs and verifies tokens (HS256) that name their user as `user_id`, as number or as text.
export class Tokens {
  #sign;
  #verify;
  #user;

  constructor(key, user) {
    this.#sign = createSigner({ key, algorithm: "HS256", expiresIn: "12h" });
    this.#verify = createVerifier({ key, algorithms: ["HS256"], cache: true });
    this.#user = user;
  }

  pair(user) {
    return {
      access: this.#sign({ token_type: "access", user_id: user }),
      refresh: this.#sign({ token_type: "refresh", user_id: user }),
    };
  }

  // The user of a token, or undefined when it is not valid.
  user(token) {
    try {
      return this.#user.get(Number(this.#verify(token).user_id));
    } catch {
      return undefined;
    }
  }
}

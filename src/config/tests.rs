use secrecy::ExposeSecret;

use super::*;

const KEY: &str = "0123456789abcdef0123456789abcdef-secret";

impl Config {
    /// The defaults, apart from `values`; for tests of other modules.
    pub(crate) fn of(values: &[(&'static str, &str)]) -> Self {
        flags(values).expect("readable settings").config
    }
}

fn given(values: &[(&'static str, &str)]) -> CommandLine {
    CommandLine {
        file: None,
        values: values.iter().map(|(name, text)| (*name, (*text).to_owned())).collect(),
    }
}

fn variables(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

fn flags(values: &[(&'static str, &str)]) -> Result<Loaded, ConfigErrors> {
    load(&given(values), [], Path::new("/nonexistent"))
}

/// Loads with `text` as the `liao.toml` of the current folder.
fn with_file(
    text: &str,
    values: &[(&'static str, &str)],
    environment: &[(&str, &str)],
) -> Result<Loaded, ConfigErrors> {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(FILE_NAME), text).expect("written");
    load(&given(values), variables(environment), folder.path())
}

fn sentence(result: Result<Loaded, ConfigErrors>) -> String {
    result.expect_err("refused").to_string()
}

fn line<'a>(loaded: &'a Loaded, name: &str) -> (&'a str, &'a Source) {
    let line = loaded.lines.iter().find(|line| line.name == name).expect("a line");
    (&line.value, &line.source)
}

#[test]
fn every_default_can_be_read() {
    let Loaded { config, lines, file } = flags(&[]).expect("defaults");
    assert_eq!(lines.len(), SETTINGS.len());
    assert_eq!(file, None);
    assert_eq!(config.listen.to_string(), "127.0.0.1:8000");
    assert_eq!(config.database_url.expose(), "sqlite:./data/liao.db");
    assert_eq!(config.access_token_lifetime.as_secs(), 60 * 60);
    assert_eq!(config.refresh_token_lifetime.as_secs(), 7 * 24 * 60 * 60);
    assert_eq!(config.body_limit, ByteLimit(Some(1024 * 1024)));
    assert_eq!(config.frame_limit, ByteLimit(Some(64 * 1024)));
    assert_eq!(config.writes_per_second, CountLimit(Some(30)));
    assert!(config.sign_up && !config.demo && config.secret_key.is_none() && config.required_group.is_none());
}

#[test]
fn a_flag_wins_over_the_environment_over_the_file_over_the_default() {
    let text = "listen = '127.0.0.1:1'\nwrite_burst = 1\nsign_up = false\n";
    let environment = [("LIAO_LISTEN", "127.0.0.1:2"), ("LIAO_WRITE_BURST", "2"), ("HOME", "/root")];
    let loaded = with_file(text, &[("listen", "127.0.0.1:3")], &environment).expect("readable");
    assert_eq!(line(&loaded, "listen"), ("127.0.0.1:3", &Source::Flag));
    assert_eq!(line(&loaded, "write_burst"), ("2", &Source::Environment));
    assert_eq!(line(&loaded, "sign_up"), ("false", &Source::File(FILE_NAME.into())));
    assert_eq!(line(&loaded, "data"), ("./data", &Source::Default));
    assert_eq!(loaded.config.listen.port(), 3);
    assert_eq!(loaded.config.write_burst, CountLimit(Some(2)));
    assert!(!loaded.config.sign_up);
    assert_eq!(loaded.file.as_deref(), Some(Path::new(FILE_NAME)));
}

#[test]
fn the_database_lies_in_whichever_data_folder_is_in_force() {
    let loaded = flags(&[("data", "/srv/liao/")]).expect("readable");
    assert_eq!(loaded.config.database_url.expose(), "sqlite:/srv/liao/liao.db");
    assert_eq!(line(&loaded, "database_url").1, &Source::Default);
}

#[test]
fn the_file_writes_values_in_its_own_way_too() {
    let text = "demo = true\nbody_limit = 2048\ncors_allowed_origins = ['https://a.example', 'https://b.example/']\n\
                trusted_proxies = '127.0.0.1, 10.0.0.0/8'\naccess_token_lifetime = '1h 30m'\n";
    let config = with_file(text, &[], &[]).expect("readable").config;
    assert!(config.demo);
    assert_eq!(config.body_limit, ByteLimit(Some(2048)));
    let origins: Vec<_> = config.cors_allowed_origins.iter().map(WebOrigin::as_str).collect();
    assert_eq!(origins, ["https://a.example", "https://b.example"]);
    assert_eq!(config.trusted_proxies.len(), 2);
    assert_eq!(config.access_token_lifetime.as_secs(), 90 * 60);
}

#[test]
fn nought_turns_a_limit_off() {
    let config = Config::of(&[("body_limit", "0"), ("sockets_per_user", "0")]);
    assert_eq!(config.body_limit, ByteLimit(None));
    assert_eq!(config.sockets_per_user, CountLimit(None));
}

#[test]
fn a_bad_value_is_told_with_its_setting_its_source_and_what_was_expected() {
    assert_eq!(
        sentence(flags(&[("writes_per_second", "many")])),
        "writes_per_second is \"many\" (--writes-per-second), but must be a whole number, or 0 for no limit."
    );
    assert_eq!(
        sentence(with_file("", &[], &[("LIAO_ACCESS_TOKEN_LIFETIME", "15")])),
        "access_token_lifetime is \"15\" (LIAO_ACCESS_TOKEN_LIFETIME), but must be a length of time such as 15s, \
         60m, 12h or 7d."
    );
    assert_eq!(
        sentence(with_file("demo = 'perhaps'", &[], &[])),
        "demo is \"perhaps\" (liao.toml), but must be true or false."
    );
    assert_eq!(
        sentence(with_file("[log]\nlevel = 'info'", &[], &[])),
        "log (liao.toml) must be error, warn, info, debug, trace or off, or directives such as info,chat=debug."
    );
}

#[test]
fn values_that_mean_nothing_are_refused() {
    for (name, text) in [
        ("listen", "8000"),
        ("data", ""),
        ("database_url", "postgres://localhost/liao"),
        ("database_url", "mysql://localhost"),
        ("database_url", "sqlite:"),
        ("database_url", "sqlite::memory:"),
        ("database_url", "sqlite:liao.db?mode=rwc"),
        ("redis_url", "127.0.0.1:6379"),
        ("redis_url", "http://127.0.0.1:6379"),
        ("session_lifetime", "0s"),
        ("session_lifetime", "1000000y"),
        ("writes_per_second", "-1"),
        ("body_limit", "huge"),
        ("cors_allowed_origins", "*"),
        ("cors_allowed_origins", "https://a.example/path"),
        ("cors_allowed_origins", "a.example"),
        ("trusted_proxies", "proxy.example"),
        ("trusted_proxies", "10.0.0.0/33"),
        ("log", "verbose"),
        ("log", "chat=loud"),
        ("log_format", "xml"),
        ("secure_cookies", "true"),
        ("secret_key", "short"),
    ] {
        let errors = flags(&[(name, text)]).map(|_| ()).expect_err(name).0;
        assert!(
            matches!(&errors[..], [SettingError::BadValue { name: message, .. }] if *message == name),
            "{name} {text}: {errors:?}"
        );
    }
}

#[test]
fn all_that_is_wrong_is_told_at_once() {
    let message =
        sentence(with_file("lisen = '127.0.0.1:1'\n", &[("demo", "maybe")], &[("LIAO_DATBASE_URL", "x")]));
    assert_eq!(
        message.lines().collect::<Vec<_>>(),
        [
            "The environment has LIAO_DATBASE_URL, which is no setting; LIAO_DATABASE_URL is one.",
            "liao.toml has \"lisen\", which is no setting; listen is one.",
            "demo is \"maybe\" (--demo), but must be true or false.",
        ]
    );
    let message = sentence(with_file("", &[], &[("LIAO_XYZZY", "1")]));
    assert_eq!(message, "The environment has LIAO_XYZZY, which is no setting; 'liao config' lists them.");
}

#[test]
fn variables_of_others_are_left_alone() {
    let environment = [
        ("LIAO_PORT", "tcp://10.0.0.1:80"),
        ("LIAO_SERVICE_HOST", "10.0.0.1"),
        ("LIAO_DEV_RELOAD", "1"),
        ("LIAOX", ""),
    ];
    with_file("", &[], &environment).expect("no problem");
    let loaded = with_file("", &[], &[("LIAO_LISTEN", "")]).expect("an empty one is not set");
    assert_eq!(line(&loaded, "listen").1, &Source::Default);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let environment = [("LIAO_DATA".into(), OsString::from_vec(vec![0xff]))];
    let message = sentence(load(&CommandLine::default(), environment, Path::new("/nonexistent")));
    assert_eq!(message, "LIAO_DATA in the environment must be UTF-8 text.");
}

#[test]
fn a_file_that_was_named_must_be_there_and_be_toml() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("my.toml");
    let named = CommandLine { file: Some(path.clone()), values: vec![] };
    let message = sentence(load(&named, [], folder.path()));
    assert_eq!(message, format!("{} cannot be read: there is no such file.", path.display()));

    std::fs::write(&path, "listen = '127.0.0.1:9'").expect("written");
    let variable = variables(&[(FILE_VARIABLE, "elsewhere.toml")]);
    let loaded = load(&named, variable, folder.path()).expect("the flag's file is read");
    assert_eq!(loaded.config.listen.port(), 9);

    std::fs::write(&path, format!("demo = true\nsecret_key = {KEY}\n")).expect("written");
    let message = sentence(load(&named, [], folder.path()));
    assert!(
        message.starts_with(&format!("{} cannot be understood in line 2: ", path.display())),
        "{message}"
    );
    assert!(!message.contains(KEY) && !message.contains('\n'), "{message}");
}

#[test]
fn secrets_are_in_force_but_never_shown() {
    let url = "mysql://ada:s3cret%40@db.example:3307/chat";
    let loaded = flags(&[("secret_key", KEY), ("database_url", url)]).expect("readable");
    assert_eq!(loaded.config.secret_key.as_ref().expect("set").expose_secret(), KEY);
    assert_eq!(loaded.config.database_url.expose(), url);
    assert_eq!(loaded.config.database_url.location(), "db.example:3307");
    let loaded = flags(&[
        ("secret_key", KEY),
        ("database_url", url),
        ("redis_url", "rediss://ada:s3cret@a.example:7000, redis://:s3cret@b.example?password=s3cret"),
    ])
    .expect("readable");
    let shown = "rediss://ada:********@a.example:7000,redis://:********@b.example";
    assert_eq!(line(&loaded, "redis_url").0, shown);
    assert_eq!(loaded.config.redis_url.as_ref().expect("set").to_string(), shown);
    assert_eq!(line(&loaded, "secret_key").0, "********");
    assert_eq!(line(&loaded, "database_url").0, "mysql://ada:********@db.example:3307/chat");
    for shown in [Report(&loaded).to_string(), format!("{loaded:?}"), loaded.config.database_url.to_string()]
    {
        assert!(!shown.contains(KEY) && !shown.contains("s3cret"), "{shown}");
    }
}

#[test]
fn secrets_that_cannot_be_read_are_not_repeated() {
    assert_eq!(
        sentence(with_file("", &[], &[("LIAO_SECRET_KEY", "hunter2")])),
        "secret_key (LIAO_SECRET_KEY) must be at least 32 bytes long."
    );
    for url in
        ["mysql//root:hunter2@db/chat", "mysql://root:hunter2/@db/chat", "mysql://root:hunter2@db:port/chat"]
    {
        let message = sentence(flags(&[("database_url", url)]));
        assert!(message.starts_with("database_url (--database-url) must be sqlite:FILE"), "{message}");
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn the_report_tells_values_sources_and_the_file() {
    let report =
        Report(&with_file("write_burst = 7\n", &[("demo", "true")], &[("LIAO_LOG", "warn")]).expect("fine"))
            .to_string();
    for expected in [
        ["demo", "true", "--demo"],
        ["write_burst", "7", "liao.toml"],
        ["log", "warn", "LIAO_LOG"],
        ["secret_key", "(kept in the data folder)", "default"],
        ["required_group", "(none)", "default"],
    ] {
        let [name, value, source] = expected;
        let line = report.lines().find(|line| line.split("  ").next() == Some(name)).expect(name);
        let (rest, message) = line.rsplit_once("  ").expect("columns");
        assert_eq!((rest.trim_start_matches(name).trim(), message), (value, source));
    }
    assert!(report.ends_with("\nFile read: liao.toml"), "{report}");
    assert!(Report(&flags(&[]).expect("defaults")).to_string().contains("No file read"));
}

//! The contents of a database, for comparison with earlier contents. Used by the tests of the started server, which
//! contain no SQL.

use std::path::Path;

use sqlx::{AssertSqlSafe, MySqlPool, SqlitePool};

/// A direct connection to a server's database.
pub enum Contents {
    Sqlite(SqlitePool),
    MariaDb(MySqlPool),
}

impl Contents {
    /// Of the SQLite file.
    pub async fn of_sqlite(path: &Path) -> Self {
        Self::Sqlite(SqlitePool::connect(&format!("sqlite:{}", path.display())).await.expect("opened"))
    }

    /// Of the database at `url`.
    pub async fn of_mariadb(url: &str) -> Self {
        Self::MariaDb(MySqlPool::connect(url).await.expect("connected"))
    }

    /// Each table's name with its contents, or with MariaDB's checksum of them. Without jobs, which a server works on at
    /// any time.
    pub async fn read(&self) -> Vec<(String, String)> {
        match self {
            Self::Sqlite(pool) => of_sqlite(pool).await,
            Self::MariaDb(pool) => of_mariadb(pool).await,
        }
    }
}

async fn of_sqlite(pool: &SqlitePool) -> Vec<(String, String)> {
    const TABLES: &str = "SELECT t.name, group_concat('quote(' || c.name || ')', '||') FROM sqlite_master t \
        JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND t.name <> 'job' GROUP BY t.name ORDER BY t.name";
    let mut conn = pool.acquire().await.expect("a connection");
    let tables: Vec<(String, String)> = sqlx::query_as(TABLES).fetch_all(&mut *conn).await.expect("tables");
    let mut contents = Vec::new();
    for (name, columns) in tables {
        let sql = format!(
            "SELECT COALESCE(group_concat(line, '\n'), '') FROM (SELECT {columns} AS line FROM {name} ORDER BY line)"
        );
        let (lines,): (String,) =
            sqlx::query_as(AssertSqlSafe(sql)).fetch_one(&mut *conn).await.expect("rows");
        contents.push((name, lines));
    }
    contents
}

async fn of_mariadb(pool: &MySqlPool) -> Vec<(String, String)> {
    let tables: Vec<(String,)> = sqlx::query_as(
        "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name <> 'job' \
         ORDER BY table_name",
    )
    .fetch_all(pool)
    .await
    .expect("tables");
    let names: Vec<String> = tables.into_iter().map(|(name,)| name).collect();
    let sql = format!("CHECKSUM TABLE {}", names.join(", "));
    let sums: Vec<(String, Option<i64>)> =
        sqlx::query_as(AssertSqlSafe(sql)).fetch_all(pool).await.expect("sums");
    sums.into_iter().map(|(name, sum)| (name, format!("{sum:?}"))).collect()
}

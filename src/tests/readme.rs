//! Runs the commands of the README.

use std::process::Command;

use crate::support::Server;

#[tokio::test]
async fn the_api_example_works() {
    let readme =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/README.md")).expect("a README");
    let block = readme.split("```sh\n").find(|block| block.starts_with("BASE=")).expect("the block");
    let script = block.split("```").next().expect("its lines");
    let server = Server::start(&["--demo"]);
    let script = script.replace("http://127.0.0.1:8000", &server.base);
    let output =
        Command::new("bash").args(["-euo", "pipefail", "-c", &script]).output().expect("bash starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("成功加入房间"), "{text}");
    let page = text.rsplit_once("{\"messages\":[").expect("the last line lists them").1;
    assert!(
        page.contains("你好！") && page.contains("\"username\":\"mei\"") && page.contains("\"total\":1"),
        "{page}"
    );
}

//! A server that runs already, on this machine, and is measured beside Liao: any that speaks the same API.

use std::{
    fs,
    net::{SocketAddr, ToSocketAddrs as _},
    path::Path,
};

use anyhow::{Context as _, Result, ensure};

use crate::process::Server;

/// The state of a listening socket in `/proc/net/tcp`.
const LISTENING: &str = "0A";

/// The server at `url` (`http://HOST:PORT`), which must listen on this machine: its CPU time and memory are read from
/// `/proc`.
pub(crate) fn server(url: &str) -> Result<Server> {
    let host = url.strip_prefix("http://").context("the URL of --beside begins with http://")?;
    let host = host.trim_end_matches('/');
    let address: SocketAddr = match host.to_socket_addrs() {
        // IPv4 first: a name often has both, and a server listens on one.
        Ok(addresses) => addresses.min_by_key(SocketAddr::is_ipv6).context("--beside names no address")?,
        Err(error) => return Err(error).with_context(|| format!("--beside names no address: {host}")),
    };
    let processes = listening(address.port())?;
    ensure!(
        !processes.is_empty(),
        "no process of this machine that this user may look at listens on port {}",
        address.port()
    );
    Ok(Server::running(address, processes))
}

/// The processes that listen on a port: several when workers share the socket.
fn listening(port: u16) -> Result<Vec<u32>> {
    let mut sockets = Vec::new();
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read_to_string(table).unwrap_or_default();
        sockets.extend(
            table.lines().filter_map(|line| inode(line, port)).map(|inode| format!("socket:[{inode}]")),
        );
    }
    let mut processes = Vec::new();
    for entry in fs::read_dir("/proc").context("there is no /proc")? {
        let entry = entry?;
        let Ok(process) = entry.file_name().to_string_lossy().parse::<u32>() else { continue };
        // A process of another user cannot be looked at, and one may end meanwhile.
        let Ok(files) = fs::read_dir(entry.path().join("fd")) else { continue };
        let is_one = |file: &Path| {
            fs::read_link(file).is_ok_and(|target| sockets.iter().any(|socket| target == Path::new(socket)))
        };
        if files.map_while(Result::ok).any(|file| is_one(&file.path())) {
            processes.push(process);
        }
    }
    Ok(processes)
}

/// The inode in a line of `/proc/net/tcp` when it is of a socket that listens on this port.
fn inode(line: &str, port: u16) -> Option<&str> {
    let mut fields = line.split_whitespace();
    let (_, local) = fields.nth(1)?.rsplit_once(':')?;
    let is_listening = fields.nth(1)? == LISTENING;
    let inode = fields.nth(5)?;
    (is_listening && u16::from_str_radix(local, 16).ok()? == port).then_some(inode)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listening_socket_of_the_port_is_found() {
        let line = |state: &str| {
            format!(
                "   3: 0100007F:1F90 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  1000        0 86813 1 0000 100 0 0 10 0"
            )
        };
        assert_eq!(inode(&line("0A"), 8_080), Some("86813"));
        assert_eq!(inode(&line("01"), 8_080), None);
        assert_eq!(inode(&line("0A"), 8_081), None);
        assert_eq!(inode("  sl  local_address rem_address   st", 8_080), None);
    }

    #[test]
    fn this_process_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        assert_eq!(listening(port).expect("/proc"), [std::process::id()]);
    }
}

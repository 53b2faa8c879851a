// SPDX-License-Identifier: Apache-2.0
import CLinux

/// Waits until one of `descriptors` can be read or has been closed by its peer, and returns the indices of those.
/// Unlike epoll, poll(2) takes regular files too. `timeoutMilliseconds` -1 waits for ever.
///
/// - Parameter writable: waits for this one to be written to as well; its index comes after the others.
package func waitReadable(
    _ descriptors: [CInt], writable: CInt? = nil, timeoutMilliseconds: CInt = -1
) throws(SysError) -> [Int] {
    var entries: [pollfd] = []
    let readable: Int16 = 1  // POLLIN
    for descriptor in descriptors { entries.append(pollfd(fd: descriptor, events: readable, revents: 0)) }
    if let writable { entries.append(pollfd(fd: writable, events: 4, revents: 0)) }  // POLLOUT
    let count = nfds_t(entries.count)
    let ready = try sys("poll") {
        entries.withUnsafeMutableBufferPointer { poll($0.baseAddress, count, timeoutMilliseconds) }
    }
    var indices: [Int] = []
    if ready == 0 { return indices }
    for (index, entry) in entries.enumerated() where entry.revents != 0 { indices.append(index) }
    return indices
}

/// Waits until `descriptor` can be written to or its peer has gone.
package func waitWritable(_ descriptor: CInt) throws(SysError) {
    var entry = pollfd(fd: descriptor, events: 4, revents: 0)  // POLLOUT
    try sys("poll") { poll(&entry, 1, -1) }
}

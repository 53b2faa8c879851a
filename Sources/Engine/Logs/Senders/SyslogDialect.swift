// SPDX-License-Identifier: Apache-2.0
import CLinux
import DockerAPI
import LinuxSystem

/// syslog(3) over unix sockets, UDP, TCP and TLS: RFC 3164, RFC 5424, or the short form that is docker's default.
struct SyslogDialect: LogDialect {
    private enum Format {
        case short
        case rfc3164
        case rfc5424(isMicro: Bool)
    }

    private static let localSockets = ["/dev/log", "/var/run/syslog", "/var/run/log"]
    private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

    let address: LogSocket.Address
    let tls: LogTLSLink.Settings?
    private let facility: Int
    private let tag: String
    private let hostname = MachineFacts().hostname
    private let format: Format
    private let pid = getpid()

    init(_ info: LogInfo) throws(EngineError) {
        tag = try info.tag(default: "{{.ID}}")
        facility = try LogOptions.syslogFacility(info.options["syslog-facility"])
        format =
            switch info.options["syslog-format"] {
            case "rfc3164": .rfc3164
            case "rfc5424": .rfc5424(isMicro: false)
            case "rfc5424micro": .rfc5424(isMicro: true)
            default: .short
            }
        tls = info.options["syslog-address"].hasPrefix("tcp+tls://") ? Self.settings(info.options) : nil
        if let address = try Self.address(info.options["syslog-address"]) {
            self.address = address
        } else {
            guard let socket = Self.localSockets.first(where: { exists(FilePath($0)) }) else {
                throw LogOptions.failure("Unix syslog delivery error")
            }
            address = LogSocket.Address(scheme: "unixgram", place: socket)
        }
    }

    /// nil for the machine's own syslog.
    static func address(_ text: String) throws(EngineError) -> LogSocket.Address? {
        if text.isEmpty { return nil }
        let scheme = text.firstRange(of: "://").map { String(text[..<$0.lowerBound]) } ?? ""
        let schemes = ["udp", "tcp", "tcp+tls", "unix", "unixgram"]
        guard schemes.contains(scheme) else { throw .invalidArgument("unsupported scheme: '\(scheme)'") }
        guard let address = LogSocket.Address(text, schemes: schemes, defaultPort: 514) else {
            throw .invalidArgument("invalid syslog-address: \(text)")
        }
        if scheme.hasPrefix("unix"), !exists(FilePath(address.place)) {
            throw .invalidArgument("stat \(address.place): no such file or directory")
        }
        return address
    }

    private static func settings(_ options: LogOptions) -> LogTLSLink.Settings {
        LogTLSLink.Settings(
            authorities: options["syslog-tls-ca-cert"], certificate: options["syslog-tls-cert"],
            key: options["syslog-tls-key"], skipsVerification: !options["syslog-tls-skip-verify"].isEmpty)
    }

    func messages(_ line: LogLine) -> [[UInt8]] {
        let severity = line.stream == .stderr ? 3 : 6
        let stamp = line.time.rfc3339(fixed: true)
        var head = "<\(facility * 8 + severity)>"
        switch format {
        case .short: head += "\(Self.brief(stamp)) \(tag)[\(pid)]: "
        case .rfc3164: head += "\(Self.brief(stamp)) \(hostname) \(tag)[\(pid)]: "
        case .rfc5424(let isMicro):
            let time = String(stamp.prefix(isMicro ? 26 : 19)) + "Z"
            head += "1 \(time) \(hostname) \(tag) \(pid) \(tag) - "
        }
        return [Array(head.utf8) + line.content + [UInt8(ascii: "\n")]]
    }

    /// `Jan  2 15:04:05` of `2026-01-02T15:04:05.…Z`.
    private static func brief(_ stamp: String) -> String {
        let parts = stamp.prefix(10).split(separator: "-").compactMap { Int($0) }
        guard parts.count == 3, (1...12).contains(parts[1]) else { return stamp }
        let day = (parts[2] < 10 ? " " : "") + String(parts[2])
        return "\(months[parts[1] - 1]) \(day) \(stamp.dropFirst(11).prefix(8))"
    }
}

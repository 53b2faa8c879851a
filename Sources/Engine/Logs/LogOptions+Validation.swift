// SPDX-License-Identifier: Apache-2.0

// What a create request may ask for, with docker's texts.
extension LogOptions {
    /// The options that every driver takes.
    private static let common = [
        "mode", "max-buffer-size", "cache-disabled", "cache-max-size", "cache-max-file", "cache-compress",
    ]
    private static let metadata = ["labels", "labels-regex", "env", "env-regex", "tag"]

    /// The options of the drivers that there are.
    private static let drivers: [String: [String]] = [
        "json-file": metadata + ["max-file", "max-size", "compress"],
        "local": ["max-file", "max-size", "compress"],
        "journald": metadata,
        "syslog": metadata + [
            "syslog-address", "syslog-facility", "syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key",
            "syslog-tls-skip-verify", "syslog-format",
        ],
        "gelf": metadata + [
            "gelf-address", "gelf-compression-level", "gelf-compression-type", "gelf-tcp-max-reconnect",
            "gelf-tcp-reconnect-delay",
        ],
        "fluentd": metadata + [
            "fluentd-address", "fluentd-async", "fluentd-async-connect", "fluentd-async-reconnect-interval",
            "fluentd-buffer-limit", "fluentd-max-retries", "fluentd-request-ack", "fluentd-retry-wait",
            "fluentd-sub-second-precision",
        ],
    ]

    /// As `docker info` lists them; `none` is not among them.
    static var driverNames: [String] { drivers.keys.sorted() }

    /// Refuses drivers and options that there are not.
    static func validate(driver: String, options: [(key: String, value: String)]) throws(EngineError) {
        if driver == "none" { return }
        let values = Dictionary(options.map { ($0.key, $0.value) }) { $1 }
        let mode = values["mode"] ?? ""
        guard ["", "blocking", "non-blocking"].contains(mode) else {
            throw .invalidArgument("logger: logging mode not supported: \(mode)")
        }
        if let size = values["max-buffer-size"] {
            if mode != "non-blocking" {
                throw .invalidArgument(
                    "logger: max-buffer-size option is only supported with 'mode=non-blocking'")
            }
            guard ByteSize.binary(size) != nil else {
                throw .invalidArgument("error parsing option max-buffer-size: invalid size: '\(size)'")
            }
        }
        guard let known = drivers[driver] else {
            throw .invalidArgument("error looking up logging plugin \(driver): plugin \"\(driver)\" not found")
        }
        for (key, _) in options.sorted(by: { $0.key < $1.key }) where !known.contains(key) && !common.contains(key) {
            throw .invalidArgument(unknown(key, driver))
        }
        try validateValues(driver, values)
    }

    /// Refuses what a daemon cannot have as its default.
    package static func validateDefaults(_ configuration: EngineConfiguration) throws(EngineError) {
        do throws(EngineError) {
            try validate(driver: configuration.logDriver, options: configuration.logOptions)
        } catch {
            throw EngineError(error.kind, "failed to set log opts: " + error.message)
        }
    }

    private static func unknown(_ key: String, _ driver: String) -> String {
        switch driver {
        case "local": "unknown log opt '\(key)' for log driver local"
        case "gelf": "unknown log opt \"\(key)\" for gelf log driver"
        default: "unknown log opt '\(key)' for \(driver) log driver"
        }
    }

    private static func validateValues(_ driver: String, _ values: [String: String]) throws(EngineError) {
        switch driver {
        case "gelf": try validateGELF(values)
        case "syslog":
            let format = values["syslog-format"] ?? ""
            guard ["", "rfc3164", "rfc5424", "rfc5424micro"].contains(format) else {
                throw .invalidArgument("Invalid syslog format")
            }
            _ = try syslogFacility(values["syslog-facility"] ?? "")
        default: break
        }
    }

    private static func validateGELF(_ values: [String: String]) throws(EngineError) {
        func refuse(_ key: String) -> EngineError {
            .invalidArgument("unknown value \"\(values[key] ?? "")\" for log opt \"\(key)\" for gelf log driver")
        }
        guard let address = values["gelf-address"], !address.isEmpty else {
            throw .invalidArgument("gelf-address is a required parameter")
        }
        if let type = values["gelf-compression-type"], !["gzip", "zlib", "none"].contains(type) {
            throw refuse("gelf-compression-type")
        }
        if let level = values["gelf-compression-level"], Int(level).map({ (-1...9).contains($0) }) != true {
            throw refuse("gelf-compression-level")
        }
        let isTCP = address.hasPrefix("tcp://")
        if isTCP, values["gelf-compression-type"] != nil || values["gelf-compression-level"] != nil {
            throw .invalidArgument("compression is only supported on UDP")
        }
        for key in ["gelf-tcp-max-reconnect", "gelf-tcp-reconnect-delay"] {
            guard let text = values[key] else { continue }
            if !isTCP { throw .invalidArgument("\"\(key)\" is only valid for TCP") }
            guard let number = Int(text), number >= 0 else {
                throw .invalidArgument("\(key) must be a positive integer")
            }
        }
    }

    private static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "", "",
        "",
        "", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
    ]

    /// The number of a facility of syslog(3), by name or as a number; `daemon` if none is given.
    static func syslogFacility(_ text: String) throws(EngineError) -> Int {
        if text.isEmpty { return 3 }
        if let index = facilities.firstIndex(of: text) { return index }
        guard let number = Int(text), (0...23).contains(number) else {
            throw .invalidArgument("invalid syslog facility")
        }
        return number
    }
}

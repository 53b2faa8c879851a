// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Netlink

@Suite("Reports of nftables changes")
struct NFTablesReportsTests {
    private let generation = """
        24 00 00 00 0f 0a 00 00 00 00 00 00 00 00 00 00  # NFT_MSG_NEWGEN
        00 00 00 07                                      # nfgenmsg
        08 00 01 00 00 00 00 07                          # NFTA_GEN_ID 7
        08 00 02 00 00 00 12 34                          # NFTA_GEN_PROC_PID, big endian
        """

    @Test("a transaction ends with its generation")
    func deletion() {
        var reports = NFTablesReports()
        let deleted = bytes(
            """
            20 00 00 00 02 0a 00 00 00 00 00 00 00 00 00 00  # NFT_MSG_DELTABLE
            02 00 00 07                                      # nfgenmsg: family ip
            0a 00 01 00 73 77 72 75 6e 00 00 00              # NFTA_TABLE_NAME swrun
            """)
        #expect(reports.take(deleted[...]).isEmpty)
        let changes = reports.take(bytes(generation)[...])
        #expect(changes.map(\.tables) == [["swrun"]])
        #expect(changes.first?.generation == 7)
        #expect(changes.first?.removesFrom(table: "swrun") == true)
        #expect(changes.first?.removesFrom(table: "swrun_br1") == false)
    }

    @Test("what is added, and what other families lose, is not ours to repair")
    func others() {
        var reports = NFTablesReports()
        let messages = bytes(
            """
            20 00 00 00 00 0a 00 00 00 00 00 00 00 00 00 00  # NFT_MSG_NEWTABLE
            02 00 00 07 0a 00 01 00 73 77 72 75 6e 00 00 00
            20 00 00 00 02 0a 00 00 00 00 00 00 00 00 00 00  # NFT_MSG_DELTABLE, family inet
            01 00 00 07 0a 00 01 00 73 77 72 75 6e 00 00 00
            """)
        let changes = reports.take((messages + bytes(generation))[...])
        #expect(changes.map { $0.removesFrom(table: "swrun") } == [false])
    }
}

@Suite("Tracked flows")
struct TrackedFlowTests {
    private let payload = bytes(
        """
        02 00 00 00                                      # nfgenmsg: AF_INET
        34 00 01 80                                      # CTA_TUPLE_ORIG, nested
        14 00 01 80                                      # CTA_TUPLE_IP
        08 00 01 00 7f 00 00 01 08 00 02 00 7f 00 00 01  # from 127.0.0.1 to 127.0.0.1
        1c 00 02 80                                      # CTA_TUPLE_PROTO
        05 00 01 00 11 00 00 00                          # UDP
        06 00 02 00 9c 40 00 00 06 00 03 00 46 85 00 00  # ports 40000 and 18053, big endian
        34 00 02 80                                      # CTA_TUPLE_REPLY
        14 00 01 80
        08 00 01 00 ac 1e 00 02 08 00 02 00 ac 1e 00 01  # from 172.30.0.2 to 172.30.0.1
        1c 00 02 80
        05 00 01 00 11 00 00 00
        06 00 02 00 00 35 00 00 06 00 03 00 9c 40 00 00
        """)

    @Test("who answers is the container behind the published port")
    func parses() throws {
        let flow = try #require(TrackedFlow(payload[...]))
        #expect(flow.proto == 17)
        #expect(flow.destinationPort == 18053)
        #expect(flow.answerer == [172, 30, 0, 2])
    }

    @Test("its deletion names it by its original direction")
    func deletion() throws {
        let flow = try #require(TrackedFlow(payload[...]))
        #expect(
            flow.deletion.message(sequence: 5)
                == bytes(
                    """
                    48 00 00 00 02 01 05 00 05 00 00 00 00 00 00 00  # IPCTNL_MSG_CT_DELETE, REQUEST|ACK
                    02 00 00 00                                      # nfgenmsg: AF_INET
                    """) + Array(payload[4..<56]))
    }

    @Test("bytes cut off at any place are no flow and no crash")
    func truncated() {
        for count in 0..<(payload.count - 52) { #expect(TrackedFlow(payload[..<count]) == nil) }
    }
}

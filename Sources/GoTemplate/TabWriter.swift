// SPDX-License-Identifier: Apache-2.0

/// Aligns tab-separated cells into columns, as Go's text/tabwriter does without flags.
///
/// A column is a run of adjacent lines that have a tab-terminated cell at the same place; its width is that of its
/// longest cell plus the padding, at least the minimum. The last cell of a line is never padded.
package struct TabWriter: Sendable {
    package var minimumWidth: Int
    package var padding: Int

    /// The defaults are those of every list command.
    package init(minimumWidth: Int = 10, padding: Int = 3) {
        self.minimumWidth = minimumWidth
        self.padding = padding
    }

    package func align(_ text: String) -> String {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false).map {
                String(decoding: $0, as: UTF8.self)
            }
        }
        let widths = columnWidths(lines)
        var out = ""
        for (row, cells) in lines.enumerated() {
            if row > 0 { out += "\n" }
            for (column, cell) in cells.enumerated() {
                out += cell
                guard column < cells.count - 1 else { break }
                out += String(repeating: " ", count: widths[row][column] - TabWriter.width(cell))
            }
        }
        return out
    }

    private func columnWidths(_ lines: [[String]]) -> [[Int]] {
        var widths = lines.map { [Int](repeating: 0, count: max(0, $0.count - 1)) }
        let columns = widths.map(\.count).max() ?? 0
        for column in 0..<columns {
            var row = 0
            while row < lines.count {
                guard column < widths[row].count else {
                    row += 1
                    continue
                }
                var end = row
                var widest = 0
                while end < lines.count, column < widths[end].count {
                    widest = max(widest, TabWriter.width(lines[end][column]))
                    end += 1
                }
                for member in row..<end { widths[member][column] = max(minimumWidth, widest + padding) }
                row = end
            }
        }
        return widths
    }

    /// Go counts characters, not columns.
    private static func width(_ cell: String) -> Int { cell.unicodeScalars.count }
}

// SPDX-License-Identifier: Apache-2.0
import LinuxSystem

/// The rules for container names, and the names of those that were given none.
package enum ContainerName {
    /// Checks a name from a client; one leading slash is dropped.
    package static func check(_ text: String) throws(EngineError) -> String {
        let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
        guard RestrictedName.isValid(name) else {
            throw .invalidArgument("Invalid container name (\(text)), only \(RestrictedName.characters) are allowed")
        }
        return name
    }

    static func conflict(_ name: String, _ owner: String) -> EngineError {
        .conflict(
            "Conflict. The container name \"/\(name)\" is already in use by container \"\(owner)\". You have to remove "
                + "(or rename) that container to be able to reuse that name.")
    }

    /// `quiet_heron`; later attempts get a number, so that the search for a free one ends.
    package static func random(attempt: Int) -> String {
        let adjective = adjectives.randomElement() ?? "plain"
        let noun = nouns.randomElement() ?? "box"
        return "\(adjective)_\(noun)" + (attempt > 4 ? String(Int.random(in: 0...99_999)) : "")
    }

    private static let adjectives = words(
        """
        agile amber ample arctic autumn bold brave breezy bright brisk calm candid careful cheerful clear clever cosmic
        crisp curious dapper daring deft eager early earnest elegant epic fair fancy fearless festive fleet fluent fond
        frosty gentle gilded glad golden graceful grand happy hardy hasty honest humble jolly keen kind lively lucid
        lucky mellow merry mighty misty modest neat nimble noble patient placid plucky polite prompt proud quick quiet
        rapid ready robust rosy royal sage serene sharp silent silver sleek smart snappy solid spry steady stellar
        stoic sturdy subtle sunny swift tidy tranquil true upbeat vivid warm wise witty zesty
        """)

    private static let nouns = words(
        """
        albatross anchor badger barge basalt beacon beaver birch bison breeze brook canyon caravel cedar comet condor
        coral cormorant cove crane creek curlew cypress delta dolphin dune eagle ember falcon fern finch fjord forest
        fox galaxy gannet geyser glacier grove gull harbor hawk hazel heron ibis iris island jay juniper kestrel lagoon
        lantern lark laurel lichen linden lynx magpie maple marlin marten meadow merlin meteor mistral moss narwhal
        nebula oak ocean orca oriole osprey otter owl peak pebble pelican petrel pine plover prairie puffin quartz
        quasar raven reef ridge river robin salmon sandpiper schooner sequoia skua spruce starling stork summit swan
        swift tern thicket thrush tide tundra valley walrus willow wren zephyr
        """)

    private static func words(_ text: String) -> [String] {
        text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map { String($0) }
    }
}

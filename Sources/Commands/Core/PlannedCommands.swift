// SPDX-License-Identifier: Apache-2.0

/// Commands of docker that swrun knows by name but cannot do yet: they say so instead of "unknown command".
enum PlannedCommands {
    static let all: [Command] = [
        planned(
            "image build", aliases: ["build", "builder build"], "[OPTIONS] PATH | URL | -",
            "Make an image from a Dockerfile"),
        planned(
            "plugin create", "[OPTIONS] PLUGIN PLUGIN-DATA-DIR",
            "Make a plugin from a directory with config.json and rootfs"),
        planned("plugin disable", "[OPTIONS] PLUGIN", "Turn a plugin off"),
        planned("plugin enable", "[OPTIONS] PLUGIN", "Turn a plugin on"),
        planned("plugin inspect", "[OPTIONS] PLUGIN [PLUGIN...]", "Show all that is known about plugins, as JSON"),
        planned("plugin install", "[OPTIONS] PLUGIN [KEY=VALUE...]", "Fetch a plugin and turn it on"),
        planned("plugin ls", aliases: ["plugin list"], "[OPTIONS]", "List the plugins"),
        planned("plugin push", "[OPTIONS] PLUGIN[:TAG]", "Send a plugin to a registry"),
        planned("plugin rm", aliases: ["plugin remove"], "[OPTIONS] PLUGIN [PLUGIN...]", "Remove plugins"),
        planned("plugin set", "PLUGIN KEY=VALUE [KEY=VALUE...]", "Change the settings of a plugin"),
        planned("plugin upgrade", "[OPTIONS] PLUGIN [REMOTE]", "Replace a plugin with a newer version"),
        planned("volume update", "[OPTIONS] [VOLUME]", "Change a cluster volume"),
        planned("config create", "[OPTIONS] CONFIG file|-", "Make a config from a file or stdin"),
        planned("config inspect", "[OPTIONS] CONFIG [CONFIG...]", "Show all that is known about configs, as JSON"),
        planned("config ls", aliases: ["config list"], "[OPTIONS]", "List the configs"),
        planned("config rm", aliases: ["config remove"], "CONFIG [CONFIG...]", "Remove configs"),
        planned("node demote", "NODE [NODE...]", "Make managers plain workers"),
        planned("node inspect", "[OPTIONS] self|NODE [NODE...]", "Show all that is known about nodes, as JSON"),
        planned("node ls", aliases: ["node list"], "[OPTIONS]", "List the nodes"),
        planned("node promote", "NODE [NODE...]", "Make workers managers"),
        planned("node ps", "[OPTIONS] [NODE...]", "List the tasks of nodes, this one by default"),
        planned("node rm", aliases: ["node remove"], "[OPTIONS] NODE [NODE...]", "Take nodes out of the swarm"),
        planned("node update", "[OPTIONS] NODE", "Change the role, the labels or the availability of a node"),
        planned("secret create", "[OPTIONS] SECRET [file|-]", "Make a secret from a file or stdin"),
        planned(
            "secret inspect", "[OPTIONS] SECRET [SECRET...]",
            "Show all that is known about secrets but their content"),
        planned("secret ls", aliases: ["secret list"], "[OPTIONS]", "List the secrets"),
        planned("secret rm", aliases: ["secret remove"], "SECRET [SECRET...]", "Remove secrets"),
        planned("service create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Start a service"),
        planned("service inspect", "[OPTIONS] SERVICE [SERVICE...]", "Show all that is known about services, as JSON"),
        planned("service logs", "[OPTIONS] SERVICE|TASK", "Print what the tasks of a service wrote"),
        planned("service ls", aliases: ["service list"], "[OPTIONS]", "List the services"),
        planned("service ps", "[OPTIONS] SERVICE [SERVICE...]", "List the tasks of services"),
        planned("service rm", aliases: ["service remove"], "SERVICE [SERVICE...]", "Stop and remove services"),
        planned("service rollback", "[OPTIONS] SERVICE", "Go back to a service's previous settings"),
        planned("service scale", "SERVICE=REPLICAS [SERVICE=REPLICAS...]", "Set how many replicas services have"),
        planned("service update", "[OPTIONS] SERVICE", "Change the settings of a service"),
        planned("stack config", "[OPTIONS]", "Print the merged configuration of a stack"),
        planned("stack deploy", aliases: ["stack up"], "[OPTIONS] STACK", "Start or change a stack"),
        planned("stack ls", aliases: ["stack list"], "[OPTIONS]", "List the stacks"),
        planned("stack ps", "[OPTIONS] STACK", "List the tasks of a stack"),
        planned(
            "stack rm", aliases: ["stack remove", "stack down"], "[OPTIONS] STACK [STACK...]",
            "Stop and remove stacks"),
        planned("stack services", "[OPTIONS] STACK", "List the services of a stack"),
        planned("swarm ca", "[OPTIONS]", "Show or replace the root certificate"),
        planned("swarm init", "[OPTIONS]", "Make this daemon the first manager of a new swarm"),
        planned("swarm join", "[OPTIONS] HOST:PORT", "Add this daemon to a swarm"),
        planned("swarm join-token", "[OPTIONS] (worker|manager)", "Show or replace the tokens that let nodes join"),
        planned("swarm leave", "[OPTIONS]", "Take this daemon out of its swarm"),
        planned("swarm unlock", "", "Unlock a manager after a restart"),
        planned("swarm unlock-key", "[OPTIONS]", "Show or replace the key that unlocks managers"),
        planned("swarm update", "[OPTIONS]", "Change the settings of the swarm"),
    ]

    private static func planned(_ path: String, aliases: [String] = [], _ usage: String, _ summary: String) -> Command {
        Command(path, aliases: aliases, usage: usage, summary, arity: .any, takesAnyFlag: true) { call in
            throw CommandFailure("swrun: 'swrun " + call.name + "' is not implemented by swrun yet")
        }
    }
}

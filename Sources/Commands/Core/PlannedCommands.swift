// SPDX-License-Identifier: Apache-2.0

/// Commands of docker that swrun knows by name but cannot do yet: they say so instead of "unknown command".
enum PlannedCommands {
    static let all: [Command] = [
        planned("builder prune", "", "Remove build cache"),
        planned("checkpoint create", "[OPTIONS] CONTAINER CHECKPOINT", "Create a checkpoint from a running container"),
        planned(
            "checkpoint ls", aliases: ["checkpoint list"], "[OPTIONS] CONTAINER",
            "List checkpoints for a container"),
        planned(
            "checkpoint rm", aliases: ["checkpoint remove"], "[OPTIONS] CONTAINER CHECKPOINT",
            "Remove a checkpoint"),
        planned("context create", "[OPTIONS] CONTEXT", "Create a context"),
        planned(
            "context export", "[OPTIONS] CONTEXT [FILE|-]",
            "Export a context to a tar archive FILE or a tar stream on STDOUT."),
        planned("context import", "CONTEXT FILE|-", "Import a context from a tar or zip file"),
        planned(
            "context inspect", "[OPTIONS] [CONTEXT] [CONTEXT...]",
            "Display detailed information on one or more contexts"),
        planned("context ls", aliases: ["context list"], "[OPTIONS]", "List contexts"),
        planned("context rm", aliases: ["context remove"], "CONTEXT [CONTEXT...]", "Remove one or more contexts"),
        planned("context show", "", "Print the name of the current context"),
        planned("context update", "[OPTIONS] CONTEXT", "Update a context"),
        planned("context use", "CONTEXT", "Set the current docker context"),
        planned(
            "image build", aliases: ["build", "builder build"], "[OPTIONS] PATH | URL | -",
            "Build an image from a Dockerfile"),
        planned(
            "manifest annotate", "[OPTIONS] MANIFEST_LIST MANIFEST",
            "Add additional information to a local image manifest"),
        planned(
            "manifest create", "MANIFEST_LIST MANIFEST [MANIFEST...]",
            "Create a local manifest list for annotating and pushing to a registry"),
        planned(
            "manifest inspect", "[OPTIONS] [MANIFEST_LIST] MANIFEST",
            "Display an image manifest, or manifest list"),
        planned("manifest push", "[OPTIONS] MANIFEST_LIST", "Push a manifest list to a repository"),
        planned(
            "manifest rm", "MANIFEST_LIST [MANIFEST_LIST...]",
            "Delete one or more manifest lists from local storage"),
        planned(
            "plugin create", "[OPTIONS] PLUGIN PLUGIN-DATA-DIR",
            "Create a plugin from a rootfs and configuration. Plugin data directory must contain config.json and rootfs directory."
        ),
        planned("plugin disable", "[OPTIONS] PLUGIN", "Disable a plugin"),
        planned("plugin enable", "[OPTIONS] PLUGIN", "Enable a plugin"),
        planned(
            "plugin inspect", "[OPTIONS] PLUGIN [PLUGIN...]",
            "Display detailed information on one or more plugins"),
        planned("plugin install", "[OPTIONS] PLUGIN [KEY=VALUE...]", "Install a plugin"),
        planned("plugin ls", aliases: ["plugin list"], "[OPTIONS]", "List plugins"),
        planned("plugin push", "[OPTIONS] PLUGIN[:TAG]", "Push a plugin to a registry"),
        planned("plugin rm", aliases: ["plugin remove"], "[OPTIONS] PLUGIN [PLUGIN...]", "Remove one or more plugins"),
        planned("plugin set", "PLUGIN KEY=VALUE [KEY=VALUE...]", "Change settings for a plugin"),
        planned("plugin upgrade", "[OPTIONS] PLUGIN [REMOTE]", "Upgrade an existing plugin"),
        planned("volume update", "[OPTIONS] [VOLUME]", "Update a volume (cluster volumes only)"),
        planned("config create", "[OPTIONS] CONFIG file|-", "Create a config from a file or STDIN"),
        planned(
            "config inspect", "[OPTIONS] CONFIG [CONFIG...]",
            "Display detailed information on one or more configs"),
        planned("config ls", aliases: ["config list"], "[OPTIONS]", "List configs"),
        planned("config rm", aliases: ["config remove"], "CONFIG [CONFIG...]", "Remove one or more configs"),
        planned("node demote", "NODE [NODE...]", "Demote one or more nodes from manager in the swarm"),
        planned("node inspect", "[OPTIONS] self|NODE [NODE...]", "Display detailed information on one or more nodes"),
        planned("node ls", aliases: ["node list"], "[OPTIONS]", "List nodes in the swarm"),
        planned("node promote", "NODE [NODE...]", "Promote one or more nodes to manager in the swarm"),
        planned("node ps", "[OPTIONS] [NODE...]", "List tasks running on one or more nodes, defaults to current node"),
        planned(
            "node rm", aliases: ["node remove"], "[OPTIONS] NODE [NODE...]",
            "Remove one or more nodes from the swarm"),
        planned("node update", "[OPTIONS] NODE", "Update a node"),
        planned("secret create", "[OPTIONS] SECRET [file|-]", "Create a secret from a file or STDIN as content"),
        planned(
            "secret inspect", "[OPTIONS] SECRET [SECRET...]",
            "Display detailed information on one or more secrets"),
        planned("secret ls", aliases: ["secret list"], "[OPTIONS]", "List secrets"),
        planned("secret rm", aliases: ["secret remove"], "SECRET [SECRET...]", "Remove one or more secrets"),
        planned("service create", "[OPTIONS] IMAGE [COMMAND] [ARG...]", "Create a new service"),
        planned(
            "service inspect", "[OPTIONS] SERVICE [SERVICE...]",
            "Display detailed information on one or more services"),
        planned("service logs", "[OPTIONS] SERVICE|TASK", "Fetch the logs of a service or task"),
        planned("service ls", aliases: ["service list"], "[OPTIONS]", "List services"),
        planned("service ps", "[OPTIONS] SERVICE [SERVICE...]", "List the tasks of one or more services"),
        planned("service rm", aliases: ["service remove"], "SERVICE [SERVICE...]", "Remove one or more services"),
        planned("service rollback", "[OPTIONS] SERVICE", "Revert changes to a service's configuration"),
        planned("service scale", "SERVICE=REPLICAS [SERVICE=REPLICAS...]", "Scale one or multiple replicated services"),
        planned("service update", "[OPTIONS] SERVICE", "Update a service"),
        planned("stack config", "[OPTIONS]", "Outputs the final config file, after doing merges and interpolations"),
        planned(
            "stack deploy", aliases: ["stack up"], "[OPTIONS] STACK",
            "Deploy a new stack or update an existing stack"),
        planned("stack ls", aliases: ["stack list"], "[OPTIONS]", "List stacks"),
        planned("stack ps", "[OPTIONS] STACK", "List the tasks in the stack"),
        planned(
            "stack rm", aliases: ["stack remove", "stack down"], "[OPTIONS] STACK [STACK...]",
            "Remove one or more stacks"),
        planned("stack services", "[OPTIONS] STACK", "List the services in the stack"),
        planned("swarm ca", "[OPTIONS]", "Display and rotate the root CA"),
        planned("swarm init", "[OPTIONS]", "Initialize a swarm"),
        planned("swarm join", "[OPTIONS] HOST:PORT", "Join a swarm as a node and/or manager"),
        planned("swarm join-token", "[OPTIONS] (worker|manager)", "Manage join tokens"),
        planned("swarm leave", "[OPTIONS]", "Leave the swarm"),
        planned("swarm unlock", "", "Unlock swarm"),
        planned("swarm unlock-key", "[OPTIONS]", "Manage the unlock key"),
        planned("swarm update", "[OPTIONS]", "Update the swarm"),
    ]

    private static func planned(_ path: String, aliases: [String] = [], _ usage: String, _ summary: String) -> Command {
        Command(path, aliases: aliases, usage: usage, summary, arity: .any, takesAnyFlag: true) { call in
            throw CommandFailure("swrun: 'swrun " + call.name + "' is not implemented by swrun yet")
        }
    }
}

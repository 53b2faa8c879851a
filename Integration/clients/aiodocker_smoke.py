# SPDX-License-Identifier: Apache-2.0
"""aiodocker: run, logs, exec, attach by a web socket, events, stats. Run by test_clients.py."""
import asyncio

import aiodocker

CONFIG = {"Image": "busybox:latest", "Cmd": ["sh", "-c", "echo hello; cat"], "OpenStdin": True, "AttachStdin": True}


async def main():
    async with aiodocker.Docker() as client:
        assert (await client.version())["ApiVersion"]
        assert (await client.system.info())["ID"]
        assert any("busybox:latest" in (one["RepoTags"] or []) for one in await client.images.list())
        events = client.events.subscribe()
        container = await client.containers.create_or_replace("aiodocker-smoke", CONFIG)
        try:
            await container.start()
            while (event := await events.get())["Action"] != "start" or event["Actor"]["ID"] != container.id:
                pass
            assert (await container.show())["State"]["Running"]
            execution = await container.exec(["echo", "from an exec"])
            async with execution.start(detach=False) as stream:
                message = await stream.read_out()
                assert (message.stream, message.data) == (1, b"from an exec\n"), message
                assert await stream.read_out() is None
            assert (await execution.inspect())["ExitCode"] == 0
            async with container.attach(stdin=True, stdout=True, stderr=True) as stream:
                await stream.write_in(b"ping\n")
                message = await stream.read_out()
                assert message.data == b"ping\n", message
            assert (await container.stats(stream=False))
            assert "hello\n" in await container.log(stdout=True)
            await container.kill()
            assert (await container.wait())["StatusCode"] == 137
        finally:
            await container.delete(force=True)
        volume = await client.volumes.create({"Name": "aiodocker-smoke"})
        await volume.delete()


asyncio.run(asyncio.wait_for(main(), 60))

# SPDX-License-Identifier: Apache-2.0
"""login and logout, with and without credential helpers, and prompts at a terminal."""
import json
import os
import shutil

import pytest
from harness import BIN
from registry_setup import BASIC, CREDENTIALS, HTTP, TOKEN, inspect
from terminal import Terminal


class TestLogin:
    def test_basic(self, cli, stack, registries, logged_out, unique, repository):
        name = f"{BASIC}/{repository}:1"
        unique(name)
        result = cli("login", "-u", "user", "-p", "secret", BASIC)
        assert result == "Login Succeeded" and "Using --password via the CLI is insecure" in result.err
        assert f"WARNING! Your credentials are stored unencrypted in '{logged_out}'" in result.err
        assert json.loads(logged_out.read_text()) == {"auths": {BASIC: {"auth": "dXNlcjpzZWNyZXQ="}}}
        assert logged_out.stat().st_mode & 0o777 == 0o600
        cli("push", "-q", name)
        stack.docker("rmi", name)
        assert cli("pull", "-q", name) == name
        assert "existing credentials" in cli("login", BASIC).err
        assert cli("logout", BASIC) == f"Removing login credentials for {BASIC}"
        assert json.loads(logged_out.read_text()) == {"auths": {}}
        assert "no basic auth credentials" in cli("pull", name, check=False).err

    def test_token(self, cli, stack, registries, logged_out, unique, repository):
        name = f"{TOKEN}/{repository}:1"
        unique(name)
        assert cli("login", "--username", "user", "--password-stdin", TOKEN, input="secret\n") == "Login Succeeded"
        entry = json.loads(logged_out.read_text())["auths"][TOKEN]
        assert entry["identitytoken"] and entry["auth"] == "dXNlcjo="
        cli("push", "-q", name)
        stack.docker("rmi", name)
        # create pulls by itself
        cli("create", "--name", repository, "--network", "none", name)
        stack.docker("rm", repository)
        cli("logout", TOKEN)
        assert inspect(name, "--creds", CREDENTIALS)["Digest"]

    @pytest.mark.parametrize("registry, text", [
        (BASIC, f"login attempt to https://{BASIC}/v2/ failed with status: 401 Unauthorized"),
        (TOKEN, "unauthorized"),
    ])
    def test_wrong_password(self, cli, registries, logged_out, registry, text):
        result = cli("login", "-u", "user", "--password-stdin", registry, input="wrong", check=False)
        assert result.code == 1 and text in result.err and not logged_out.exists()

    @pytest.mark.parametrize("options, text", [
        (["--password-stdin"], "the --password-stdin option requires --username to be set"),
        (["-p", "x", "--password-stdin", "-u", "x"], "conflicting options: cannot specify both --password and --password-stdin"),
        (["-u", "x"], "Error: Cannot perform an interactive login from a non TTY device"),
    ])
    def test_wrong_options(self, cli, logged_out, options, text):
        assert text in cli("login", *options, BASIC, check=False).err

    @pytest.fixture
    def helper(self, tmp_path, monkeypatch):
        """A credential helper, docker-credential-test; returns the file with what it keeps."""
        program = tmp_path / "docker-credential-test"
        program.write_text(f"""#!/bin/sh
            file={tmp_path}/kept
            case $1 in
                store) cat >$file ;;
                get) [ -e $file ] && cat $file || {{ echo credentials not found in native keychain; exit 1; }} ;;
                erase) rm -f $file ;;
            esac""")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        return tmp_path / "kept"

    @pytest.mark.parametrize("setting", [{"credHelpers": {BASIC: "test"}}, {"credsStore": "test"}], ids=["one", "all"])
    def test_credential_helper(self, cli, registries, logged_out, helper, setting):
        logged_out.parent.mkdir(exist_ok=True)
        logged_out.write_text(json.dumps({**setting, "psFormat": "x"}))
        result = cli("login", "-u", "user", "--password-stdin", BASIC, input="secret")
        assert result == "Login Succeeded" and "unencrypted" not in result.err
        assert json.loads(helper.read_text()) == {"ServerURL": BASIC, "Username": "user", "Secret": "secret"}
        saved = json.loads(logged_out.read_text())
        assert saved["auths"] == {BASIC: {}} and saved["psFormat"] == "x"
        # The secret comes from the helper: the answer is about the image, not about the password.
        assert "not found" in cli("pull", f"{BASIC}/none:1", check=False).err
        cli("logout", BASIC)
        assert not helper.exists()
        assert json.loads(logged_out.read_text()).get("auths", {}) == {}

    def test_a_helper_keeps_an_identity_token(self, cli, stack, registries, logged_out, helper, unique, repository):
        logged_out.parent.mkdir(exist_ok=True)
        logged_out.write_text(json.dumps({"credsStore": "test"}))
        cli("login", "-u", "user", "--password-stdin", TOKEN, input="secret")
        kept = json.loads(helper.read_text())
        assert kept["Username"] == "<token>" and kept["ServerURL"] == TOKEN and kept["Secret"] != "secret"
        name = f"{TOKEN}/{repository}:1"
        unique(name)
        cli("push", "-q", name)
        cli("logout", TOKEN)
        assert cli("push", "-q", name, check=False).code == 1

    @pytest.mark.parametrize("setting", [{"credsStore": "nowhere"}, {"credsStore": "broken"}], ids=["missing", "broken"])
    def test_a_helper_that_does_not_work(self, cli, registries, logged_out, tmp_path, monkeypatch, setting):
        program = tmp_path / "docker-credential-broken"
        program.write_text("#!/bin/sh\necho it is locked; exit 1")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
        logged_out.parent.mkdir(exist_ok=True)
        logged_out.write_text(json.dumps(setting))
        result = cli("login", "-u", "user", "--password-stdin", BASIC, input="secret", check=False)
        assert result.code == 1 and ("executable file not found" in result.err or "it is locked" in result.err)
        # Whoever needs no password does not need the helper either.
        assert "not found" in cli("pull", f"{HTTP}/none:1", check=False).err


@pytest.fixture(params=["docker", "swrun"])
def terminal(request, stack):
    """Starts a command of either client at a terminal."""
    program = shutil.which("docker") if request.param == "docker" else BIN / "swrun"
    if not program:
        pytest.skip("no docker client on this machine")
    return lambda *words: Terminal([program, *words], stack.environment())


class TestPrompts:
    def test_user_and_password_are_asked_for(self, terminal, registries, logged_out):
        with terminal("login", BASIC) as at:
            at.read_until("Username: ")
            at.type("user\r")
            at.read_until("Password: ")
            assert not at.echoes()
            at.type("secret\r")
            at.read_until("Login Succeeded")
            assert at.wait() == 0 and at.echoes()
            assert "secret" not in at.shown
        assert BASIC in json.loads(logged_out.read_text())["auths"]

    def test_only_the_password_is_asked_for(self, terminal, registries, logged_out):
        with terminal("login", "-u", "user", BASIC) as at:
            assert "Username" not in at.read_until("Password: ")
            at.type("wrongly\x7f\x7f\x7f\x7f\x7f\x7f\x7fsecret\r")
            at.read_until("Login Succeeded")
            assert at.wait() == 0

    def test_leaving_gives_the_terminal_back_as_it_was(self, terminal, registries, logged_out):
        with terminal("login", "-u", "user", BASIC) as at:
            at.read_until("Password: ")
            at.type("sec\x03")
            # docker's client says 0, as if it had logged in.
            assert at.wait() == (130 if "swrun" in str(at.process.args) else 0)
            assert at.echoes() and not logged_out.exists()

    def test_a_wrong_password(self, terminal, registries, logged_out):
        with terminal("login", "-u", "user", BASIC) as at:
            at.read_until("Password: ")
            at.type("wrong\r")
            assert at.wait() == 1 and "401 Unauthorized" in at.shown and not logged_out.exists()

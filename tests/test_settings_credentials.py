"""Settings that are handed over as files: systemd's credentials, a container's secrets."""

from pathlib import Path

import pytest

from publisher.errors import SettingsError
from publisher.settings import Settings, load_settings
from tests.test_settings import BASE

PASSWORD = "PUBLISHER_SMTP__PASSWORD"


class Handing:
    """A publication's settings, and a folder of credentials."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "publisher.toml"
        self.path.write_text(BASE + '[smtp]\nhost = "a"\npassword = "of the file"\n')
        self.folder = folder / "credentials"
        self.folder.mkdir()

    def put(self, name: str, content: bytes) -> None:
        (self.folder / name).write_bytes(content)

    def load(self, **environment: str) -> Settings:
        return load_settings(self.path, {"CREDENTIALS_DIRECTORY": str(self.folder), **environment})

    def fault(self) -> str:
        with pytest.raises(SettingsError) as raised:
            self.load()
        return str(raised.value)


@pytest.fixture
def handing(tmp_path: Path) -> Handing:
    return Handing(tmp_path)


@pytest.mark.parametrize("content", [b"secret", b"secret\n", b"secret\r\n", "sécret ".encode()])
def test_a_file_goes_before_the_settings(handing: Handing, content: bytes) -> None:
    handing.put(PASSWORD, content)
    assert handing.load().smtp[0].password == content.decode().rstrip("\r\n")


def test_the_environment_goes_before_a_file(handing: Handing) -> None:
    handing.put(PASSWORD, b"of the credential")
    settings = handing.load(PUBLISHER_SMTP__PASSWORD="of the environment")
    assert settings.smtp[0].password == "of the environment"


def test_an_empty_file_says_nothing(handing: Handing) -> None:
    handing.put(PASSWORD, b"\n")
    assert handing.load().smtp[0].password == "of the file"


def test_other_files_are_let_be(handing: Handing) -> None:
    handing.put("dkim.pem", b"\xff")
    assert handing.load().smtp[0].password == "of the file"


def test_a_folder_that_is_not_there_is_no_fault(handing: Handing) -> None:
    handing.folder.rmdir()
    assert handing.load().smtp[0].password == "of the file"


def test_what_is_wrong_names_the_file(handing: Handing) -> None:
    handing.put("PUBLISHER_SMTP__PORT", b"many")
    assert handing.fault().startswith('PUBLISHER_SMTP__PORT (smtp.port): found "many"')
    handing.put("PUBLISHER_SMTP__PORT", b"\xff\xfe")
    assert "PUBLISHER_SMTP__PORT is no UTF-8 text" in handing.fault()


def test_what_cannot_be_read_is_said(handing: Handing) -> None:
    (handing.folder / PASSWORD).mkdir()
    assert f"{PASSWORD} cannot be read: Is a directory" in handing.fault()

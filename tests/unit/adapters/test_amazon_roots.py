"""Which authorities the AWS clients trust: Amazon's own, where the build has written them."""

import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import botocore
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import amazon_roots
from openvoip_sms.adapters import authorities
from openvoip_sms.wiring import core

BUNDLE = Path(botocore.__file__).with_name("cacert.pem")
# https://www.amazontrust.com/repository/, "SHA-256 Hash of Subject Public Key Information"
PUBLISHED = {
    "Amazon Root CA 1": "fbe3018031f9586bcbf41727e417b7d1c45c2f47f93be372a17b96b50757d5a2",
    "Amazon Root CA 2": "7f4296fc5b6a4e3b35d3c369623e364ab1af381d8fa7121533c9d6c633ea2461",
    "Amazon Root CA 3": "36abc32656acfc645c61b71613c4bf21c787f5cabbee48348d58597803d7abc9",
    "Amazon Root CA 4": "f7ecded5c66047d28ed6466b543c40e0743abe81d109254dcf845d4c2c7853c5",
    "Starfield Services Root Certificate Authority - G2": (
        "2b071c59a0a0ae76b0eadb2bad23bad4580b69c3601b630c2eaf0613afa83f92"
    ),
}


def key_hash(certificate):
    key = certificate.public_key()
    return sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def common_name(certificate):
    return certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)[0].value


def run(source, target):
    """As the layer's Makefile does."""
    command = [sys.executable, amazon_roots.__file__, str(source), str(target)]
    return subprocess.run(command, check=False, capture_output=True, text=True)


# The file


# The number of the oldest root is 0, of which cryptography warns each time.
@pytest.mark.filterwarnings("ignore:Parsed a serial number which wasn't positive")
def test_the_file_holds_the_published_roots_and_nothing_else(tmp_path):
    file = tmp_path / "roots.pem"
    assert run(BUNDLE, file).returncode == 0
    certificates = x509.load_pem_x509_certificates(file.read_bytes())
    assert {common_name(one): key_hash(one) for one in certificates} == PUBLISHED
    assert len(certificates) == len(PUBLISHED)


def without(name):
    """The bundle's text, one certificate less."""
    text = BUNDLE.read_text("utf-8")
    block = re.compile(rf'# Label: "{re.escape(name)}"\n.*?-----END CERTIFICATE-----\n', re.DOTALL)
    assert len(block.findall(text)) == 1
    return block.sub(f'# Label: "{name}"\n', text)


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_build_without_one_of_the_roots_fails_and_names_it(tmp_path, name):
    source, target = tmp_path / "bundle.pem", tmp_path / "roots.pem"
    source.write_text(without(name), "utf-8")
    ended = run(source, target)
    assert ended.returncode != 0
    assert name in ended.stderr
    assert not target.exists()


# The clients


@pytest.fixture
def verify(monkeypatch):
    """What a client made in a region checks certificates with."""
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    cached = core._session, core._authorities

    def of_client(region):
        monkeypatch.setenv("AWS_DEFAULT_REGION", region)
        for one in cached:
            one.cache_clear()
        return core.client("sqs")._endpoint.http_session._verify

    yield of_client
    for one in cached:
        one.cache_clear()


@pytest.fixture
def built(monkeypatch, tmp_path):
    file = tmp_path / "amazon_roots.pem"
    run(BUNDLE, file)
    monkeypatch.setattr(authorities, "AMAZON_ROOTS", file)
    return str(file)


@pytest.mark.parametrize("region", ["eu-south-1", "eu-central-1", "us-east-1", "eu-south-9"])
def test_clients_trust_the_built_file(verify, built, region):
    assert verify(region) == built


@pytest.mark.parametrize(
    "region", ["cn-north-1", "us-gov-west-1", "eusc-de-east-1", "us-iso-east-1"]
)
@pytest.mark.usefixtures("built")
def test_in_partitions_with_other_authorities_the_sdk_decides(verify, region):
    assert verify(region) is True


def test_without_the_file_the_sdk_decides(verify, monkeypatch, tmp_path):
    monkeypatch.setattr(authorities, "AMAZON_ROOTS", tmp_path / "none.pem")
    assert verify("eu-south-1") is True


@pytest.mark.parametrize("name", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
@pytest.mark.usefixtures("built")
def test_a_bundle_of_the_environment_takes_precedence(verify, monkeypatch, name):
    monkeypatch.setenv(name, str(BUNDLE))
    assert verify("eu-south-1") == str(BUNDLE)


def test_the_file_is_looked_for_where_the_build_writes_it():
    makefile = (Path(amazon_roots.__file__).with_name("Makefile")).read_text("utf-8")
    package = Path(core.__file__).parents[1]
    assert package.parent / "amazon_roots.pem" == authorities.AMAZON_ROOTS
    assert '"$(ARTIFACTS_DIR)/python/amazon_roots.pem"' in makefile
    assert f'cp -R {package.name} "$(ARTIFACTS_DIR)/python/"' in makefile

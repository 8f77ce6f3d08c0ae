import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from textwrap import dedent

import pytest

from batchanator.domain.errors import HandlerError, UnknownJobTypeError
from batchanator.handlers import Registry

HANDLER = """
    from pydantic import BaseModel
    from batchanator import JobHandler, SliceHandler, handler, Succeeded
    class M(BaseModel):
        x: int = 0
    """


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module into a fresh working directory and return its name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    before = set(sys.modules)

    def write(text: str, name: str = "mine") -> str:
        Path(f"{name}.py").write_text(dedent(HANDLER) + dedent(text))
        return name

    yield write
    for name in set(sys.modules) - before:
        del sys.modules[name]


def load(*names: str) -> Registry:
    return Registry.load(names, entry_points=False)


def test_a_module_of_the_working_directory_gives_classes_and_functions_in_name_order(module):
    name = module("""
        class B(JobHandler[M]):
            job_type = "b-type"
            async def process(self, payload, context): ...
        @handler("c-type")
        async def c(payload: M): ...
        class A(SliceHandler[M]):
            job_type = "a-type"
            def process(self, payloads, context): return [None] * len(payloads)
        class Base(JobHandler[M]):  # no job_type: for others to build on
            def process(self, payload, context): ...
        """)
    registry = load(name)
    assert [(h.job_type, h.source) for h in registry] == [
        ("a-type", "mine:A"),
        ("b-type", "mine:B"),
        ("c-type", "mine:c"),
    ]
    assert len(registry) == 3
    assert "b-type" in registry
    assert registry.get("b-type").source == "mine:B"
    with pytest.raises(UnknownJobTypeError, match="unknown job type 'd'; known: a-type, b-type, c-type"):
        registry.get("d")


def test_a_handler_that_two_modules_show_is_one_handler(module):
    module("""
        class A(JobHandler[M]):
            job_type = "a"
            async def process(self, payload, context): ...
        """)
    Path("other.py").write_text("from mine import A\nagain = A\n")
    assert [h.source for h in load("mine", "other", "mine")] == ["mine:A"]


def test_two_handlers_for_a_job_type_are_refused_by_name(module):
    name = module("""
        @handler("a")
        async def one(payload: M): ...
        @handler("a")
        async def two(payload: M): ...
        """)
    with pytest.raises(HandlerError, match="two handlers for job type 'a': mine:one and mine:two"):
        load(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1", "mine has no handlers$"),
        (
            "class A(JobHandler[M]):\n  def process(self, p, c): ...",
            "mine has no handlers; A has no job_type",
        ),
        (
            "import nowhere_to_be_found",
            "cannot import handlers module mine: ModuleNotFoundError: No module named",
        ),
        ("def (", "cannot import handlers module mine: SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "cannot import handlers module mine: SystemExit: 3"),
        ("raise ValueError('two\\nlines')", "cannot import handlers module mine: ValueError: two lines"),
        ("class A(JobHandler[M]):\n  job_type = 'a'", "mine:A has a job_type but no process"),
    ],
)
def test_a_module_that_cannot_be_used_is_refused_in_one_line(module, text, message):
    name = module("")
    Path("mine.py").write_text(dedent(HANDLER) + text + "\n")
    with pytest.raises(HandlerError, match=message) as raised:
        load(name)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", ["samples/handlers.py", "handlers.py", "samples\\handlers"])
def test_a_file_in_place_of_a_module_is_told_apart(name):
    with pytest.raises(HandlerError, match="is a file; name the module"):
        load(name)


@pytest.fixture
def announce(tmp_path, monkeypatch):
    """Install a package that announces entry points."""

    def install(lines: str) -> None:
        info = tmp_path / "plugins" / "acme-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[batchanator.handlers]\n{lines}\n")
        monkeypatch.syspath_prepend(str(info.parent))

    return install


PLUGIN = """
    class A(JobHandler[M]):
        job_type = "a"
        def __init__(self, url="default"): self.url = url
        async def process(self, payload, context): return Succeeded(self.url)
    class NeedsUrl(A):
        job_type = "needs-url"
        def __init__(self, url): self.url = url
    ready = NeedsUrl("https://acme.example")
    @handler("b")
    def b(payload: M): ...
    number = 5
    """


@pytest.mark.parametrize(
    ("entry", "types"),
    [("x = mine:A", ["a"]), ("x = mine:b", ["b"]), ("x = mine:ready", ["needs-url"]),
     ("x = mine:A\ny = mine:b", ["a", "b"])],
)  # fmt: skip
def test_installed_packages_announce_handlers(module, announce, entry, types):
    module(PLUGIN)
    announce(entry)
    sys.path.insert(0, str(Path.cwd()))
    assert [h.job_type for h in Registry.load([])] == types
    assert len(load()) == 0


def test_an_announced_module_gives_all_its_handlers(module, announce):
    module("""
        @handler("b")
        def b(payload: M): ...
        """)
    announce("x = mine")
    assert [h.job_type for h in Registry.load([])] == ["b"]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("x = mine:number", "entry point x = mine:number is neither a module nor a handler"),
        ("x = mine:missing", "cannot load entry point x = mine:missing: AttributeError"),
        ("x = gone", "cannot load entry point x = gone: ModuleNotFoundError"),
        ("x = mine:NeedsUrl", r"mine:NeedsUrl cannot be made without arguments \(TypeError"),
    ],
)
def test_an_announcement_that_leads_nowhere_is_refused(module, announce, entry, message):
    module(PLUGIN)
    announce(entry)
    with pytest.raises(HandlerError, match=message):
        Registry.load([])


def test_the_group_is_the_documented_one():
    from batchanator.handlers.registry import GROUP

    assert EntryPoint("x", "y", GROUP).group == "batchanator.handlers"

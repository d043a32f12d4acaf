"""``config.toml`` and the environment, read once into frozen settings that know where each value came from."""

from __future__ import annotations

import getpass
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from domain.errors import BadRequest, unknown
from domain.params import arranged, build, param, params_of
from domain.parsing import toml_of
from domain.risk.limits import Limits
from domain.risk.sizing import Sizing
from domain.trading.account import Account
from domain.trading.costs import Costs
from domain.trading.execution import Execution

ROOT = Path(__file__).resolve().parents[1]
SHORT = {"TIDEMARK_DATABASE_URL": "storage.database_url", "TIDEMARK_REDIS_URL": "queue.redis_url"}
NOT_SETTINGS = {"TIDEMARK_CONFIG", "TIDEMARK_DATA", "TIDEMARK_CASES", "TIDEMARK_NOTIFY_URLS", "TIDEMARK_OIDC_SECRET"}
OF_VENDORS = {      # read from the environment only; what each is for says the vendor in domain.venues
    "TIDEMARK_OANDA_TOKEN", "TIDEMARK_OANDA_ACCOUNT", "TIDEMARK_OANDA_URL", "TIDEMARK_YAHOO_URL", "TIDEMARK_DUKASCOPY_URL",
    "TIDEMARK_FRED_KEY", "TIDEMARK_FRED_URL", "TIDEMARK_MT5_LOGIN", "TIDEMARK_MT5_PASSWORD", "TIDEMARK_MT5_SERVER",
}  # fmt: skip
VENDOR_SECRETS = ("TIDEMARK_OANDA_TOKEN", "TIDEMARK_FRED_KEY", "TIDEMARK_MT5_PASSWORD")
SECRETS = ("storage.database_url", "storage.frames_url", "queue.redis_url")        # settings that may contain a password; hidden where settings are shown
FROM_FILE = "_FILE"         # VARIABLE_FILE names a file that holds what VARIABLE would, such as a secret of a container


@dataclass(frozen=True)
class App:
    host: str = param("127.0.0.1", help="address to listen on")
    port: int = param(8501, low=1, high=65_535, help="port of the page")
    hosts: str = param("", help="other names by which the page is reached, comma-separated; unknown names are refused")
    behind: str = param("", choices=("", "reverse proxy", "loopback only"), help="why it is safe to listen beyond this machine without sign-in")
    user: str = param("", help="who acts, in the audit trail; empty: the system's user")

    @property
    def loopback(self) -> bool:
        """Is the page for this machine only?

        >>> App().loopback, App(host="0.0.0.0").loopback, App(host="::1").loopback, App(host="nowhere").loopback
        (True, False, True, False)
        """
        return self.host == "localhost" or (_is_address(self.host) and ip_address(self.host).is_loopback)

    @property
    def names(self) -> frozenset[str]:
        """Every name that the page answers to, whatever the port.

        >>> sorted(App(host="0.0.0.0", hosts="Desk.example.com:8443, [fd00::5]").names)
        ['127.0.0.1', '::1', 'desk.example.com', 'fd00::5', 'localhost']
        """
        own = [] if _is_address(self.host) and ip_address(self.host).is_unspecified else [self.host]
        return frozenset(filter(None, ("localhost", "127.0.0.1", "::1", *map(_bare, (*own, *self.hosts.split(","))))))


@dataclass(frozen=True)
class Storage:
    home: str = param("var", help="folder of the workspace")
    database_url: str = param("", help="empty: SQLite in the workspace; or PostgreSQL")
    frames_url: str = param("", help="folder or bucket of bars and curves; empty: in the workspace")
    columns_mb: int = param(2_000, low=0, high=1_000_000, unit="MB", help="size limit of the feature cache on this machine; 0: no cache")
    copies_mb: int = param(5_000, low=0, high=1_000_000, unit="MB", help="size limit of what is kept on this machine of a bucket's files")


@dataclass(frozen=True)
class Queue:
    redis_url: str = param("", help="empty: an embedded server; or redis://…")


@dataclass(frozen=True)
class Work:
    processes: int = param(2, low=0, high=256, unit="processes", help="0: one per core")
    queues: str = param("interactive, research", help="queues that the workers of this machine take jobs from, comma-separated")
    lease: float = param(8.0, low=1.0, high=600.0, unit="s", help="time without a heartbeat after which a worker loses its job")
    beat: float = param(1.0, low=0.1, high=60.0, unit="s", help="heartbeat interval of workers")
    sweep: float = param(1.0, low=0.1, high=60.0, unit="s", help="interval of the scan for lost jobs")


@dataclass(frozen=True)
class Data:
    max_import_mb: int = param(500, low=1, high=100_000, unit="MB", help="largest file that may be imported")
    max_rows: int = param(20_000_000, low=1_000, high=1_000_000_000, unit="rows", help="longest series that may be imported")
    staged_mb: int = param(5_000, low=1, high=1_000_000, unit="MB", help="files that wait for their import, together")
    folders: str = param("", help="folders whose files may be opened by path from other machines, comma-separated")
    instruments: str = param("", help="a TOML file with your own instruments")


@dataclass(frozen=True)
class Outside:
    release_impact: str = param("high", choices=("low", "medium", "high"), help="scheduled releases with this impact or more are those that features count minutes to")


@dataclass(frozen=True)
class Audit:
    """Of the audit trail: where its checkpoints go. Also read from the section ``[ftc_audit]``, its earlier name."""

    checkpoints: str = param("", help="append-only file of signed checkpoints, outside the database; empty: checkpoints.txt in the workspace")
    witnesses: str = param("", help="addresses of witnesses, comma-separated, each with its verifier key after a space where you have it")
    jsonl: str = param("", help="file that every event is appended to after its commit; empty: none")
    origin: str = param("", help="name of this trail in its checkpoints and key, fixed at the first start; empty: tidemark/ and random letters")
    downloads: str = param("file", choices=("file", "zip"), help="what a page's downloads are: the file alone, or a ZIP of it and the last checkpoint")
    interval: float = param(60.0, low=1.0, high=86_400.0, unit="s", help="longest time between two checkpoints, also while nothing happens")
    events: int = param(1_000, low=1, high=1_000_000, unit="events", help="most events between two checkpoints")


@dataclass(frozen=True)
class Api:
    requests_per_minute: int = param(12_000, low=60, high=1_000_000, unit="a minute", help="requests of one client to the API; more are answered 429")
    body_mb: int = param(150, low=1, high=2_000, unit="MB", help="largest body of a request to the API")
    origins: str = param("", help="sites whose pages may call the API, comma-separated, such as https://desk.example.com; empty: none but this one")

    @property
    def sites(self) -> tuple[str, ...]:
        """
        >>> Api(origins="https://desk.example.com, http://localhost:3000").sites
        ('https://desk.example.com', 'http://localhost:3000')
        """
        return tuple(name.strip().rstrip("/") for name in self.origins.split(",") if name.strip())


@dataclass(frozen=True)
class Logs:
    format: str = param("text", choices=("text", "json"), help="lines for people, or a JSON object a line with the ids of request and job")


@dataclass(frozen=True)
class People:
    """Who may use the pages. Secrets are in the environment only: TIDEMARK_OIDC_SECRET."""

    sign_in: str = param("", choices=("", "local", "oidc", "local and oidc"), help="how people sign in: with a password kept here, at an OpenID provider, or either; empty: nobody does, for this machine only")
    two_persons: bool = param(False, help="releasing a halt, rule sets and models in production need a second person; only with sign-in")
    session_hours: float = param(12.0, low=0.05, high=720.0, unit="hours", help="after which a person signs in again")
    request_hours: float = param(24.0, low=0.05, high=720.0, unit="hours", help="after which a request to a second person expires")
    oidc_issuer: str = param("", help="address of the OpenID provider, such as https://id.example.com/realms/desk")
    oidc_client: str = param("", help="client id at that provider; its secret: TIDEMARK_OIDC_SECRET")

    @property
    def required(self) -> bool:
        """Whether people sign in."""
        return self.sign_in != ""

    @property
    def local(self) -> bool:
        return "local" in self.sign_in

    @property
    def oidc(self) -> bool:
        return "oidc" in self.sign_in

    @property
    def second(self) -> bool:
        """Whether some changes need a second person."""
        return self.required and self.two_persons


@dataclass(frozen=True)
class Form:
    balance: float = param(100_000.0, low=0.01, high=1e12, unit="account currency", help="what the form of the Backtest page starts from")
    risk_per_trade: float = param(0.005, low=0.0001, high=1.0, unit="share of equity", help="risk per trade: lost if the stop is hit")
    commission_per_lot: float = param(3.0, low=0.0, high=1e6, unit="account currency per lot and side", help="of the form")
    slippage_pips: float = param(0.2, low=0.0, high=1e4, unit="pips", help="of the form, at each market and stop fill")


@dataclass(frozen=True)
class Settings:
    """All settings. ``origin``: for each dotted key whether the file or the environment set it."""

    example: bool = param(True, help="create a synthetic example on the first start")
    app: App = App()
    storage: Storage = Storage()
    queue: Queue = Queue()
    work: Work = Work()
    data: Data = Data()
    outside: Outside = Outside()
    audit: Audit = Audit()
    account: Account = Account()
    costs: Costs = Costs()
    execution: Execution = Execution()
    sizing: Sizing = Sizing()
    limits: Limits = Limits()
    form: Form = Form()
    api: Api = Api()
    logs: Logs = Logs()
    people: People = People()
    folder: Path = ROOT
    origin: Mapping[str, str] = field(default_factory=dict)
    vendors: Mapping[str, str] = field(default_factory=dict, repr=False)        # secrets among them: never shown, stored or logged
    notify_urls: str = field(default="", repr=False)        # channels of notifications, from the environment only: secrets too
    oidc_secret: str = field(default="", repr=False)        # of this client at the OpenID provider, from the environment only

    @property
    def alone(self) -> bool:
        """Whether only whoever sits at this machine reaches the desk. Where people sign in, a proxy on this machine may let others in.

        >>> Settings().alone, Settings(people=People(sign_in="local")).alone, Settings(app=App(host="0.0.0.0")).alone
        (True, False, False)
        """
        return self.app.loopback and not self.people.required

    @property
    def home(self) -> Path:
        return (self.folder / self.storage.home).resolve()

    @property
    def database_url(self) -> str:
        return self.storage.database_url or f"sqlite:///{self.home / 'tidemark.db'}"

    @property
    def frames_url(self) -> str:
        return self.storage.frames_url or str(self.home / "frames")

    @property
    def redis_url(self) -> str:
        return self.queue.redis_url

    @property
    def instruments_file(self) -> str:
        return str((self.folder / self.data.instruments).resolve()) if self.data.instruments else ""

    @property
    def checkpoints_file(self) -> Path:
        return (self.folder / self.audit.checkpoints).resolve() if self.audit.checkpoints else self.home / "checkpoints.txt"

    @property
    def jsonl_file(self) -> Path | None:
        return (self.folder / self.audit.jsonl).resolve() if self.audit.jsonl else None

    @property
    def user(self) -> str:
        return self.app.user or _login()


ALIASES = {"ftc_audit": "audit"}     # earlier names of sections
SECTIONS = {f.name: type(f.default) for f in fields(Settings) if f.name not in ("example", "folder", "origin", "vendors", "notify_urls", "oidc_secret")}


def load(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Settings from ``path`` (default: TIDEMARK_CONFIG, else the project's config.toml), the environment over them."""
    environment = with_files(environment)
    path = path or Path(environment.get("TIDEMARK_CONFIG") or ROOT / "config.toml")
    document = _renamed(read_toml(path))
    origin = {key: path.name for key in _dotted(document)}
    for name, dotted in sorted(_from_environment(environment).items()):
        _put(document, dotted, environment[name])
        origin[dotted] = f"environment, {name}"
    vendors = {name: environment[name] for name in OF_VENDORS if environment.get(name)}
    return replace(settings_from(document), folder=path.resolve().parent, origin=origin, vendors=vendors, notify_urls=environment.get("TIDEMARK_NOTIFY_URLS", ""), oidc_secret=environment.get("TIDEMARK_OIDC_SECRET", ""))


def with_files(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with what stands in the files that variables such as TIDEMARK_DATABASE_URL_FILE name."""
    read = dict(environment)
    for name, path in environment.items():
        variable = name.removesuffix(FROM_FILE)
        if variable == name or not name.startswith("TIDEMARK_") or not path:
            continue
        if environment.get(variable):
            raise BadRequest(f"{variable} and {name} are both set; set one of them")
        try:
            read[variable] = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadRequest(f"{name} names {path}, which cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8 text'}") from None
        del read[name]
    return read


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return toml_of(path.read_text(encoding="utf-8"), str(path))
    except OSError as error:
        raise BadRequest(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadRequest(f"{path} is not TOML: it is not UTF-8 text") from None


def settings_from(document: Mapping[str, Any]) -> Settings:
    """Settings from parsed TOML.

    >>> settings_from({"app": {"prot": 1}})
    Traceback (most recent call last):
    ...
    domain.errors.UnknownName: no key in [app] named 'prot'; did you mean 'port'?
    >>> settings_from({"app": {"port": 99999}})
    Traceback (most recent call last):
    ...
    domain.errors.BadRequest: [app] port is 99999; it must be between 1 and 65535
    """
    values: dict[str, Any] = {}
    for name, value in document.items():
        values[name] = build(Settings, {name: value}).example if name == "example" else _section(name, value)
    return Settings(**values)


def _renamed(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document with sections under their present names.

    >>> _renamed({"ftc_audit": {"jsonl": "events.jsonl"}})
    {'audit': {'jsonl': 'events.jsonl'}}
    """
    for former, name in ALIASES.items():
        if former in document and name in document:
            raise BadRequest(f"config.toml has [{former}] and [{name}], which are two names of one section; keep [{name}]")
    return {ALIASES.get(name, name): value for name, value in document.items()}


def _section(name: str, values: Any) -> Any:
    if name not in SECTIONS:
        raise unknown("section or key in config.toml", name, ["example", *SECTIONS])
    if not isinstance(values, dict):
        raise BadRequest(f"{name} is {values!r}; it must be a section, [{name}]")
    cls = SECTIONS[name]
    values = arranged(cls, values)
    for key in values:
        if key not in {p.name for p in params_of(cls)}:
            raise unknown(f"key in [{name}]", key, [p.name for p in params_of(cls)])
    values = {key: ", ".join(value) if isinstance(value, list) and all(isinstance(word, str) for word in value) else value for key, value in values.items()}
    try:
        return build(cls, values)
    except BadRequest as error:
        raise error if str(error).startswith("[") else BadRequest(f"[{name}] {error}") from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Each variable that sets something, with the dotted key it sets."""
    variables = {f"TIDEMARK_{section.upper()}_{p.name.upper()}": f"{section}.{p.name}" for section, cls in SECTIONS.items() for p in params_of(cls)}
    variables |= {f"TIDEMARK_{former.upper()}_{p.name.upper()}": f"{name}.{p.name}" for former, name in ALIASES.items() for p in params_of(SECTIONS[name])}
    variables |= {"TIDEMARK_EXAMPLE": "example", **SHORT}
    named = [name for name in environment if name.startswith("TIDEMARK_") and name not in NOT_SETTINGS | OF_VENDORS]
    for name in named:
        if name not in variables:
            raise unknown("environment variable", name, {*variables, *OF_VENDORS})
    return {name: variables[name] for name in named if environment[name] != ""}


def _put(document: dict[str, Any], dotted: str, value: str) -> None:
    *section, key = dotted.split(".")
    (document.setdefault(section[0], {}) if section else document)[key] = value


def _dotted(document: Mapping[str, Any], prefix: str = "") -> list[str]:
    keys = []
    for name, value in document.items():
        keys += _dotted(value, f"{name}.") if isinstance(value, dict) else [prefix + name]
    return keys


def _bare(name: str) -> str:
    """A name without its port, as browsers write it."""
    name = name.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return (name.partition(":")[0] if name.count(":") == 1 else name).rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "analyst"

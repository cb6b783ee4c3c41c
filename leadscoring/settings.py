"""Environment in, Django's names out. Every setting a person can make stands in `.env.example`."""

import hashlib
import re
import sys
from email.utils import parseaddr
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from redis.backoff import NoBackoff
from redis.retry import Retry

from leadscoring.admin_theme import UNFOLD as UNFOLD
from leadscoring.operations import static_version
from leadscoring.operations.logging import LOGGING as LOGGING

BASE_DIR = Path(__file__).resolve().parent.parent

env = environ.Env()
env.read_env(BASE_DIR / ".env")


def _stop_start(sentence: str) -> NoReturn:
    """Stop the start with one sentence that names the setting."""
    sys.stderr.write(f"Not started: {sentence}\n")
    raise SystemExit(2)


def _read_setting(reader: Any, name: str, default: Any, wanted: str) -> Any:
    """Return a setting through one of django-environ's readers; a wrong value stops the start.

    The value itself is never repeated: it may be a secret.
    """
    try:
        return reader(name, default=default)
    except (ValueError, ImproperlyConfigured):
        _stop_start(f"{name} must be {wanted}.")


def _whole_number(name: str, default: int | None, least: int = 1) -> Any:
    number = _read_setting(env.int, name, default, "a whole number")
    if number is not None and number < least:
        _stop_start(f"{name} must be {least} or more.")
    return number


def _switch(name: str) -> bool:
    # django-environ takes any word that it does not know for "off".
    if str(env(name, default="off")).lower() not in SWITCH_WORDS:
        _stop_start(f"{name} must be on or off.")
    return bool(env.bool(name, default=False))


SWITCH_WORDS = ("on", "off", "true", "false", "1", "0", "yes", "no", "")


def _http_url(name: str, default: str) -> str:
    value = str(env(name, default="") or default).rstrip("/")
    if not value:
        _stop_start(f"{name} is not set: it must be this site's public address.")
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        _stop_start(f"{name} must be an address that starts with http:// or https://.")
    return value


DEBUG = _switch("DEBUG")


# --- where the data lives ---------------------------------------------------------------------
def _embedded_servers() -> Any:
    """Return the addresses of the servers of `make services`; None without them, as in production."""
    if env("DATABASE_URL", default="") and env("REDIS_URL", default=""):
        return None
    try:
        from leadscoring import devservers
    except ImportError:  # the image is built without them
        return None
    return devservers.running_servers()


here = _embedded_servers()
database_url = env("DATABASE_URL", default="") or (here.database_url if here else "")
REDIS_URL = env("REDIS_URL", default="") or (here.redis_url if here else "")
if not database_url:
    _stop_start(
        "DATABASE_URL is not set and no embedded PostgreSQL runs (`make services` starts one)."
    )
if not REDIS_URL:
    _stop_start("REDIS_URL is not set and no embedded Redis runs (`make services` starts one).")
if urlsplit(REDIS_URL).scheme not in ("redis", "rediss", "unix"):
    _stop_start("REDIS_URL must be an address that starts with redis://, rediss:// or unix://.")

DATABASES = {
    "default": _read_setting(
        lambda name, default: env.db_url_config(database_url),
        "DATABASE_URL",
        None,
        "postgres://user:password@host:port/name",
    )
}
if DATABASES["default"].get("ENGINE") != "django.db.backends.postgresql":
    _stop_start(
        "DATABASE_URL must be postgres://user:password@host:port/name: only PostgreSQL is supported."
    )
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
# A server whose machine is gone is noticed after a minute; one that hangs, by what waits for it.
DATABASES["default"]["OPTIONS"] = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 60_000,  # milliseconds
} | DATABASES["default"].get("OPTIONS", {})
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- who may speak to it ----------------------------------------------------------------------
# Links in mails lead to it: only who tries the product on one machine may leave it out.
BASE_URL = _http_url("BASE_URL", "http://localhost:8000" if DEBUG or here else "")
# The embedded servers are for trying and development: their random password makes a key that
# stays the same between starts and is known nowhere else.
SECRET_KEY = env("SECRET_KEY", default="") or (
    hashlib.sha256(here.database_url.encode()).hexdigest() if here else ""
)
if not DEBUG and (len(SECRET_KEY) < 32 or SECRET_KEY.startswith("change-me")):
    _stop_start("SECRET_KEY must be at least 32 random characters when DEBUG is off.")
if not SECRET_KEY:
    _stop_start("SECRET_KEY is missing.")
# What earlier keys signed (links in mails sent) and encrypted stays good.
SECRET_KEY_FALLBACKS = env.list("SECRET_KEY_FALLBACKS", default=[])
base_host = urlsplit(BASE_URL).hostname or ""
LOOPBACK = ["localhost", "127.0.0.1", "[::1]"]
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[base_host, *LOOPBACK])
if not DEBUG and "*" in ALLOWED_HOSTS:
    _stop_start("ALLOWED_HOSTS must name the hosts when DEBUG is off; * is not safe.")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[BASE_URL])
for origin in CSRF_TRUSTED_ORIGINS:
    if not origin.startswith(("http://", "https://")):
        _stop_start("CSRF_TRUSTED_ORIGINS must list addresses that start with http:// or https://.")

# TLS ends at a proxy; X-Forwarded-Proto is believed only when the public address says https.
tls = BASE_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if tls else None
SECURE_SSL_REDIRECT = tls
SECURE_HSTS_SECONDS = 31_536_000 if tls else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = tls
SECURE_HSTS_PRELOAD = tls
SESSION_COOKIE_SECURE = tls
CSRF_COOKIE_SECURE = tls
CSRF_COOKIE_HTTPONLY = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# unfold's Alpine needs 'unsafe-eval' and inline styles; nothing may come from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; frame-ancestors 'none'; base-uri 'self'; form-action 'self'"
)
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024  # the API's limit for a body
FILE_UPLOAD_HANDLERS = [
    "leadscoring.operations.upload_limit.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- how people log in (docs/log-in.md) -------------------------------------------------------
# The entries of X-Forwarded-For that are ours, from its end: a client writes the others as it likes.
ALLAUTH_TRUSTED_PROXY_COUNT = _whole_number("TRUSTED_PROXIES", 1 if tls else 0, least=0)
REQUIRE_SECOND_FACTOR = _switch("REQUIRE_SECOND_FACTOR")
ACCOUNT_ADAPTER = "leadscoring.log_in.adapter.AccountAdapter"
ACCOUNT_FORMS = {"login": "leadscoring.log_in.form.LogInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_SIGNUP_ENABLED = False  # accounts are made in the admin
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_AUTHENTICATED_LOGIN_REDIRECTS = False  # the page itself knows whom the admin lets in
ACCOUNT_REAUTHENTICATION_METHODS = ("log_in", "password", "mfa")
ACCOUNT_REAUTHENTICATION_TIMEOUT = 15 * 60
# Per address and per account; of an account at most 60 failed tries an hour from browsers that it
# was not used in, so nobody who guesses shuts its owner out (leadscoring/log_in/known_browser.py).
ACCOUNT_RATE_LIMITS = {
    "login": "60/m/ip",
    "login_failed": "20/m/ip,5/5m/key",
    "reauthenticate": "10/m/user",
    "change_password": "10/10m/user",
}
MFA_ADAPTER = "leadscoring.log_in.adapter.SecondFactorAdapter"
MFA_FORMS = {
    "add_webauthn": "leadscoring.log_in.passkey_forms.AddPasskeyForm",
    "authenticate_webauthn": "leadscoring.log_in.passkey_forms.AuthenticatePasskeyForm",
    "reauthenticate_webauthn": "leadscoring.log_in.passkey_forms.ReauthenticatePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True
MFA_TOTP_ISSUER = str(UNFOLD["SITE_TITLE"])
MFA_TOTP_TOLERANCE = 1  # a telephone's clock may be half a minute off

# The company's directory (OpenID Connect): all three, or none.
OIDC_ISSUER = _http_url("OIDC_ISSUER", "") if env("OIDC_ISSUER", default="") else ""
OIDC_CLIENT_ID = env("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = env("OIDC_CLIENT_SECRET", default="")
if len({bool(OIDC_ISSUER), bool(OIDC_CLIENT_ID), bool(OIDC_CLIENT_SECRET)}) > 1:
    _stop_start("OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET must all be set, or none.")
if OIDC_ISSUER.startswith("http://") and urlsplit(OIDC_ISSUER).hostname not in LOOPBACK:
    _stop_start("OIDC_ISSUER must start with https://.")
SOCIALACCOUNT_ADAPTER = "leadscoring.log_in.company.CompanyAdapter"
SOCIALACCOUNT_PROVIDERS = {
    "openid_connect": {
        "APPS": [
            {
                "provider_id": "company",
                "name": "Company",
                "client_id": OIDC_CLIENT_ID,
                "secret": OIDC_CLIENT_SECRET,
                "settings": {"server_url": OIDC_ISSUER, "oauth_pkce_enabled": True},
            }
        ]
    }
}

# --- mail -------------------------------------------------------------------------------------
email_url = env("EMAIL_URL", default="") or ("consolemail://" if DEBUG or here else "")
if not email_url:
    _stop_start(
        "EMAIL_URL is not set: it must be a mail server such as "
        "smtp+tls://user:password@host:587, or off, which holds all mail."
    )
MAIL_OFF = email_url == "off"
mail = _read_setting(
    lambda name, default: env.email_url_config("dummymail://" if MAIL_OFF else email_url),
    "EMAIL_URL",
    None,
    "off, or an address such as smtp+tls://user:password@host:587",
)
EMAIL_BACKEND = mail["EMAIL_BACKEND"]
# They take mails and send none: rows would say "sent", and a log would show addresses and links.
if not (DEBUG or here or MAIL_OFF) and EMAIL_BACKEND.split(".")[-2] in ("console", "dummy"):
    _stop_start("EMAIL_URL must be a mail server, or off, which holds all mail.")
if EMAIL_BACKEND == "django.core.mail.backends.smtp.EmailBackend":
    EMAIL_BACKEND = "sequences.sending.smtp.PatientEmailBackend"
EMAIL_HOST = mail.get("EMAIL_HOST") or "localhost"
EMAIL_PORT = mail.get("EMAIL_PORT") or 25
EMAIL_HOST_USER = mail.get("EMAIL_HOST_USER") or ""
EMAIL_HOST_PASSWORD = mail.get("EMAIL_HOST_PASSWORD") or ""
EMAIL_USE_TLS = mail.get("EMAIL_USE_TLS", False)
EMAIL_USE_SSL = mail.get("EMAIL_USE_SSL", False)
EMAIL_FILE_PATH = mail.get("EMAIL_FILE_PATH")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default=f"marketing@{base_host}")
if "@" not in parseaddr(DEFAULT_FROM_EMAIL)[1].strip("@"):
    _stop_start("DEFAULT_FROM_EMAIL must be an address such as Marketing <marketing@example.com>.")

# A mail provider's events about sent mails, in the words of django-anymail; "" keeps it out.
ANYMAIL = _read_setting(env.json, "ANYMAIL", {}, 'JSON such as {"WEBHOOK_SECRET": "name:password"}')
if ANYMAIL and not (isinstance(ANYMAIL, dict) and ":" in str(ANYMAIL.get("WEBHOOK_SECRET"))):
    _stop_start('ANYMAIL must have a "WEBHOOK_SECRET" of the form "name:password".')

# --- the CRM ----------------------------------------------------------------------------------
# The packages of crm_sync that speak with a CRM. By default it is the one whose credentials are set.
ADAPTERS = sorted(entry.parent.name for entry in (BASE_DIR / "crm_sync").glob("*/entry.py"))
CREDENTIALS = {
    "hubspot": "HUBSPOT_ACCESS_TOKEN",
    "salesforce": "SALESFORCE_CLIENT_ID",
    "pipedrive": "PIPEDRIVE_API_TOKEN",
}
connectable = [name for name, setting in CREDENTIALS.items() if env(setting, default="").strip()]
CRM = str(env("CRM", default="")).strip()
if len(connectable) > 1 and not CRM:
    _stop_start(f"CRM must say which: there are credentials of {' and '.join(connectable)}.")
CRM = CRM or next(iter(connectable), "hubspot")
if CRM not in ADAPTERS:
    _stop_start(f"CRM must be one of {', '.join(ADAPTERS)}.")
HUBSPOT_ACCESS_TOKEN = env("HUBSPOT_ACCESS_TOKEN", default="")
HUBSPOT_BASE_URL = _http_url("HUBSPOT_BASE_URL", "https://api.hubapi.com")
HUBSPOT_API_VERSION = env("HUBSPOT_API_VERSION", default="")
if HUBSPOT_API_VERSION not in ("", "2026-03", "2026-09"):
    _stop_start("HUBSPOT_API_VERSION must be 2026-03 or 2026-09, or empty for v3 and v4.")
HUBSPOT_CLIENT_SECRET = env("HUBSPOT_CLIENT_SECRET", default="")
HUBSPOT_REQUESTS_PER_10S = _whole_number("HUBSPOT_REQUESTS_PER_10S", None)
SALESFORCE_LOGIN_URL = ""
if env("SALESFORCE_LOGIN_URL", default=""):
    SALESFORCE_LOGIN_URL = _http_url("SALESFORCE_LOGIN_URL", "")
    login_parts = urlsplit(SALESFORCE_LOGIN_URL)
    # The client's secret is sent there.
    if login_parts.scheme != "https" and login_parts.hostname not in ("127.0.0.1", "localhost"):
        _stop_start("SALESFORCE_LOGIN_URL must start with https://.")
SALESFORCE_CLIENT_ID = env("SALESFORCE_CLIENT_ID", default="")
SALESFORCE_CLIENT_SECRET = env("SALESFORCE_CLIENT_SECRET", default="")
SALESFORCE_API_VERSION = env("SALESFORCE_API_VERSION", default="") or "67.0"
if not re.fullmatch(r"\d{2,3}\.0", SALESFORCE_API_VERSION):
    _stop_start("SALESFORCE_API_VERSION must be a version such as 67.0.")
PIPEDRIVE_API_TOKEN = env("PIPEDRIVE_API_TOKEN", default="")
PIPEDRIVE_BASE_URL = _http_url("PIPEDRIVE_BASE_URL", "https://api.pipedrive.com")
PIPEDRIVE_WEBHOOK_PASSWORD = env("PIPEDRIVE_WEBHOOK_PASSWORD", default="")
CRM_POLL_SECONDS = _whole_number("CRM_POLL_SECONDS", 60)
CRM_MAX_AGE_SECONDS = _whole_number("CRM_MAX_AGE_SECONDS", 900)
for secret in (
    "HUBSPOT_ACCESS_TOKEN",
    "SALESFORCE_CLIENT_ID",
    "SALESFORCE_CLIENT_SECRET",
    "PIPEDRIVE_API_TOKEN",
):
    if not DEBUG and any(sign.isspace() for sign in globals()[secret]):
        _stop_start(f"{secret} must not contain spaces or line ends.")

# --- the queue --------------------------------------------------------------------------------
CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
# A task is a doorbell: the rows are the truth, and a lost wake-up costs a sweep. Acknowledging late
# would end a worker that has a task in hand when Redis goes: kombu 5.7 then acknowledges on a
# closed connection, which it does not survive.
CELERY_TASK_ACKS_LATE = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # else worker and beat give up after 46 minutes
# A web request must not wait for a silent Redis: one short try, the row is already safe.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 0}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 0.5,
    "socket_timeout": 0.8,
    "visibility_timeout": 300,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
CELERY_TASK_TIME_LIMIT = 240  # under the visibility timeout, or a task runs beside itself
CELERY_TASK_SOFT_TIME_LIMIT = 210
CELERY_TIMEZONE = "UTC"

# --- Django -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin.apps.SimpleAdminConfig",  # registered by leadscoring/urls.py: workers need no pages
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",  # indexes for the start of a name
    "anymail",
    "allauth.account",
    "allauth.mfa",
    "leadscoring.log_in.apps.UserSessionsConfig",
    "leadscoring.log_in.apps.SocialAccountConfig",
    "allauth.socialaccount.providers.openid_connect",
    "leadscoring",
    "sequences",
    "crm_sync",
]
MIDDLEWARE = [
    "leadscoring.operations.machine_paths.answer_machines",
    "leadscoring.operations.compression.CompressText",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "leadscoring.operations.logging.content_security_policy",
    "leadscoring.api.middleware.no_store",
    "leadscoring.api.middleware.json_errors",
    "leadscoring.operations.schema_middleware.SchemaMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "leadscoring.log_in.middleware.HashingMiddleware",
    "leadscoring.log_in.middleware.SecondFactorMiddleware",
    "leadscoring.operations.sessions.prolong_session",
    "leadscoring.reader_time.in_readers_time",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "leadscoring.operations.access_middleware.record_readings",
]
ROOT_URLCONF = "leadscoring.urls"
WSGI_APPLICATION = "leadscoring.wsgi.application"
# The page and scripts of the API's documentation, found without importing what only web needs.
ninja = Path(str(find_spec("ninja").origin)).parent  # type: ignore[union-attr]  # it is installed
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates", ninja / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 12},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "leadscoring.log_in.passwords.ChangeWatcher"},
]
PASSWORD_HASHERS = ["leadscoring.log_in.hashing.OneAtATimeHasher"]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False
FORMAT_MODULE_PATH = "leadscoring.formats"  # Django reads no format out of settings any more
STATICFILES_DIRS = [BASE_DIR / "templates" / "static", ninja / "static"]
# Another content has another address, so that browsers may keep what they have.
static_folders = [*STATICFILES_DIRS, *static_version.folders_of_apps(INSTALLED_APPS)]
STATIC_URL = f"static/{static_version.digest(static_folders)}/"
WHITENOISE_USE_FINDERS = True  # served from the packages: no collecting step to forget
WHITENOISE_ADD_HEADERS_FUNCTION = None if DEBUG else static_version.keep_for_a_year
CACHES = {
    "default": {
        "BACKEND": "leadscoring.common.throttle_cache.ThrottleCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "json",  # values of releases that pickled them are never read
        # No request waits for a silent Redis: one short try.
        "OPTIONS": {
            "socket_connect_timeout": 0.3,
            "socket_timeout": 0.5,
            "retry": Retry(NoBackoff(), 0),
            # Who can write to Redis must not run code here, as pickled values would.
            "serializer": "leadscoring.common.json_cache.JsonSerializer",
        },
    }
}
# A shift: who does nothing for so long logs in again (leadscoring/operations/sessions.py).
SESSION_COOKIE_AGE = 12 * 3600
# For so long the access log of people keeps who read whom.
ACCESS_LOG_DAYS = _whole_number("ACCESS_LOG_DAYS", 365)
# For so long the acts of visitors who never said who they are wait for it.
ANONYMOUS_DAYS = _whole_number("ANONYMOUS_DAYS", 90)
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

SENTRY_DSN = env("SENTRY_DSN", default="")
if SENTRY_DSN:
    import sentry_sdk

    from leadscoring.operations import error_reports

    try:
        sentry_sdk.init(dsn=SENTRY_DSN, **error_reports.OPTIONS)
    except ValueError:  # the kind of sentry's BadDsn
        _stop_start("SENTRY_DSN must be an address such as https://key@sentry.example/1.")

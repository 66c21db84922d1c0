# SPDX-License-Identifier: AGPL-3.0-or-later
"""Worklane's plugin for Orthanc: a modality's worklist query is answered by the engine, and the engine
hears what happens in Orthanc.

One file, standard library only, Python 3.11 or later, orthanc-python 4.0 or later.
Orthanc's environment names the engine:

  WORKLANE_URL                       http://127.0.0.1:8575; several engines of one site: a list with commas
  WORKLANE_TOKEN                     secret of the engine's HTTP API,
  WORKLANE_TOKEN_FILE                or the file that holds it (read again when it changes)
  WORKLANE_TIMEOUT_MS                300: what one query may take in all
  WORKLANE_CIRCUIT_SECONDS           5: how long an engine that did not answer is left alone
  WORKLANE_SNAPSHOT_PATH             worklane-snapshot in Orthanc's storage folder
  WORKLANE_SNAPSHOT_SECONDS          5: how often the snapshot is brought up to date
  WORKLANE_SNAPSHOT_MAX_AGE_SECONDS  43200: an older snapshot answers nobody
  WORKLANE_SPOOL_PATH                worklane-spool in Orthanc's storage folder; one for each Orthanc

A modality gets the truth or a failure, never an empty lie (I10). The engine answers
within its time, or the last snapshot does; without a valid one the callback raises and
the C-FIND fails (0xC000). Orthanc calls worklist callbacks one after the other, so an
engine that does not answer is left alone for a while. Of several engines the one that answered last is asked
first, and the next one when it fails or has used up its share of the time.

Most changes stand in Orthanc's /changes, and the engine reads them there when it is nudged. What never
stands there (deletions, jobs, ...) waits in the spool until the engine has stored it.

The log, the spool and /worklane/status hold no patient data; the snapshot does (mode 0600).
"""

import collections
import datetime
import fnmatch
import hashlib
import http.client
import itertools
import json
import os
import re
import selectors
import socket
import ssl
import struct
import threading
import time
import urllib.parse

import orthanc

VERSION = '1'
# Global properties from 1024 on belong to plugins; this one is in nobody else's documentation.
IDENTITY_PROPERTY = 5763

# Text Value: worklist-request.lua puts into it what the query asks inside sequences.
CARRIER = '0040,a160'
STEPS, START_DATE, START_TIME = '0040,0100', '0040,0002', '0040,0003'
DATES = {START_DATE, '0010,0030', '0038,0020', '0040,2004'}
TIMES = {START_TIME, '0010,0032', '0038,0021', '0040,2005'}
NAMES = {'0010,0010', '0040,0006', '0032,1032', '0008,0090'}
NUMBERS = {'0010,1020', '0010,1030', '0010,21c0'}
# Character set, level and time zone are about the query, not about a patient.
ABOUT_THE_QUERY = {'0008,0005', '0008,0052', '0008,0201'}
# Table K.6-1, its steps and its codes: an item that lacks one of them does not have the value asked for.
KNOWN = {
    STEPS, START_DATE, START_TIME, '0040,0001', '0008,0060', '0040,0006', '0040,0007', '0040,0008', '0040,0009',
    '0040,0010', '0040,0011', '0040,0012', '0040,0020', '0032,1070', '0008,0100', '0008,0102', '0008,0103', '0008,0104',
    '0040,1001', '0032,1060', '0032,1064', '0020,000d', '0008,1110', '0008,1150', '0008,1155', '0040,1003', '0040,1004',
    '0008,0050', '0008,0051', '0032,1032', '0008,0090', '0040,2016', '0040,2017', '0038,0010', '0038,0014', '0038,0300',
    '0008,1120', '0010,0010', '0010,0020', '0010,0021', '0010,0024', '0010,1002', '0010,0030', '0010,0040', '0010,0101',
    '0010,1020', '0010,1030', '0010,4000', '0040,3001', '0038,0500', '0010,21c0', '0010,2000', '0010,2110', '0038,0050',
    '0038,0100'}
# Orthanc's own worklist plugins: the sample, and the one that came with 1.12.10.
RIVALS = {'worklists', 'orthanc-worklists'}
# Padding that never counts.
BLANK = ' \0'


def setting(name, default):
    return os.environ.get(name, '') or default


URLS = [url.strip() for url in setting('WORKLANE_URL', 'http://127.0.0.1:8575').split(',') if url.strip()]
TIMEOUT = float(setting('WORKLANE_TIMEOUT_MS', '300')) / 1000
MAX_AGE = float(setting('WORKLANE_SNAPSHOT_MAX_AGE_SECONDS', '43200'))
CIRCUIT_SECONDS = float(setting('WORKLANE_CIRCUIT_SECONDS', '5'))
REFRESH = float(setting('WORKLANE_SNAPSHOT_SECONDS', '5'))
LOOK_SECONDS = 30.0
# Where somebody wants to know.
LOOK_AGAIN_SECONDS = 1.0


def file_path(name, default):
    configured = setting(name, '')
    if configured:
        return configured
    storage = json.loads(orthanc.GetConfiguration()).get('StorageDirectory', 'OrthancStorage')
    if not os.path.isabs(storage):
        # Orthanc reads it from the folder of its configuration.
        path = orthanc.GetConfigurationPath()
        storage = os.path.join(path if os.path.isdir(path) else os.path.dirname(path), storage)
    return os.path.join(storage, default)


def write_file(path, content):
    """A reader sees the file as it was or as it is, never half of it."""
    os.replace(write_temporary(path, content), path)


def write_temporary(path, content):
    """On the disk, beside the file that it will be."""
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    temporary = path + '.tmp'
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, 'wb') as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return temporary


# --- Orthanc around us --------------------------------------------------------------------------


def is_rival_loaded():
    """Whether Orthanc's own worklist plugin was loaded before this script, and so has registered first.

    Orthanc starts its plugins in the order in which it loads them, which no configuration
    tells where `Plugins` names a whole folder. Where it cannot be seen, the worst is assumed.
    """
    try:
        with open('/proc/self/maps', encoding='utf-8', errors='replace') as maps:
            return any('Worklists' in line for line in maps)
    except OSError:
        return True


def rest(path):
    """What Orthanc itself answers; None where it does not."""
    try:
        return json.loads(orthanc.RestApiGet(path))
    except Exception:
        return None


def find_rival():
    """Orthanc gives worklist queries to the first plugin that wants them, and tells the second nothing."""
    global rival
    worklists = json.loads(orthanc.GetConfiguration()).get('Worklists')
    wants = isinstance(worklists, dict) and worklists.get('Enable') is True
    if not wants or RIVALS.isdisjoint(rest('/plugins') or ()):
        return
    rival = 'first' if came_second else 'second'
    if rival == 'first':
        orthanc.LogWarning('worklane: worklist queries are answered by the plugin ModalityWorklists, this one is never '
                           'asked: set "Worklists": { "Enable": false } in the configuration of Orthanc')


def hints():
    """What is not wrong, but may be why a modality gets nothing."""
    found = []
    if rival == 'second':
        found.append('Worklists is enabled in Orthanc too: it is second only by the order of loading')
    allows_all = json.loads(orthanc.GetConfiguration()).get('DicomAlwaysAllowFindWorklist') is True
    # All that Orthanc knows now, those of its database too. An entry that says nothing of worklists may ask for them.
    modalities = rest('/modalities?expand')
    if not allows_all and isinstance(modalities, dict) and not any(
            one.get('AllowFindWorklist', True) for one in modalities.values()):
        found.append('Orthanc lets no modality ask for it: see DicomModalities and DicomAlwaysAllowFindWorklist')
    if len(engines) > 1:
        found += ['engine %s does not answer: %s' % (one.name, one.circuit.detail)
                  for one in engines if one.circuit.reachable is False]
    if spool.waiting and spool.detail:
        found.append('%d changes wait for the engine: %s' % (len(spool.waiting), spool.detail))
    elif spool.detail and not spool.detail.startswith('the engine'):
        # A nudge that nobody took is nothing that waits: the engine reads /changes when it is back.
        found.append(spool.detail)
    if spool.dropped:
        found.append('the engine was away for so long that %d changes were not kept for it' % spool.dropped)
    return found


class EngineAway(Exception):
    """The engine did not give an answer that can be used. Its text names the reason, no patient."""


# --- Asking the engine --------------------------------------------------------------------------


class Token:
    """From the environment, or from a file that the engine may write after Orthanc has started."""

    def __init__(self):
        self.path = setting('WORKLANE_TOKEN_FILE', '')
        self.value = setting('WORKLANE_TOKEN', '')
        self.stamp = None

    def read(self):
        if self.path:
            try:
                found = os.stat(self.path)
                stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
                if stamp != self.stamp:
                    with open(self.path, encoding='utf-8') as file:
                        self.value = file.read().strip()
                    self.stamp = stamp
            except OSError:
                pass
        return self.value


class Engine:
    """HTTP to one engine over connections that stay open.

    The pool belongs to the module: what a thread keeps for itself is gone at the next
    callback. Name look-ups have no time limit of their own, so queries use the addresses
    that a background request found.
    """

    def __init__(self, url, is_only):
        parts = urllib.parse.urlsplit(url)
        self.host = parts.hostname or '127.0.0.1'
        self.port = parts.port or (443 if parts.scheme == 'https' else 80)
        self.base = parts.path.rstrip('/')
        self.name = '%s:%d' % (self.host, self.port)
        self.circuit = Circuit('' if is_only else ' ' + self.name)
        self.pool = collections.deque(maxlen=4)
        # The name of the store that it works on, as it last said.
        self.store = ''
        self.addresses = []
        self.looked_up = 0.0
        self.tls = ssl.create_default_context() if parts.scheme == 'https' else None
        try:
            socket.inet_aton(self.host)
            self.resolve()
        except OSError:
            pass

    def resolve(self):
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        self.addresses = [(family, address) for family, _, _, _, address in found]
        self.looked_up = time.monotonic()

    def request(self, method, path, body=None, headers=None, seconds=10.0):
        """Answers (status, headers, bytes), or raises EngineAway when `seconds` are over. Looks its address up."""
        deadline = time.monotonic() + seconds
        try:
            self.resolve()
        except OSError as error:
            raise EngineAway(reason_of(error)) from None
        return self.finish(self.start(method, path, body, headers, deadline), deadline)

    def start(self, method, path, body, headers, deadline):
        """What was asked, on its way."""
        asked = Asked(method, path, body, headers)
        self.send(asked, self.pool.pop() if self.pool else None, deadline)
        return asked

    def send(self, asked, kept, deadline):
        asked.is_kept = kept is not None
        connection = kept
        try:
            if connection is None:
                connection = self.connect(deadline)
            asked.connection = connection
            head = {'Authorization': 'Bearer ' + token.read(), **(asked.headers or {})}
            if asked.body is not None:
                head['Content-Type'] = 'application/json'
            connection.sock.settimeout(remaining(deadline))
            connection.request(asked.method, self.base + asked.path, asked.body, head)
        except BaseException as error:
            if connection is not None:
                connection.close()
            if asked.is_kept and isinstance(error, (http.client.HTTPException, ConnectionError)):
                # The engine closed a connection that had been idle: what we ask is asked again on a new one.
                self.send(asked, self.pool.pop() if self.pool else None, deadline)
            elif isinstance(error, (OSError, http.client.HTTPException, ValueError)):
                raise EngineAway(reason_of(error)) from None
            else:
                raise

    def finish(self, asked, deadline):
        while True:
            connection = asked.connection
            try:
                return self.read(connection, deadline)
            except BaseException as error:
                connection.close()
                if asked.is_kept and isinstance(error, (http.client.HTTPException, ConnectionError)):
                    self.send(asked, self.pool.pop() if self.pool else None, deadline)
                elif isinstance(error, (OSError, http.client.HTTPException, ValueError)):
                    raise EngineAway(reason_of(error)) from None
                else:
                    raise

    def connect(self, deadline):
        error = OSError('its address is not known yet')
        for family, address in self.addresses:
            connection = http.client.HTTPConnection(self.host, self.port)
            try:
                raw = socket.socket(family, socket.SOCK_STREAM)
                try:
                    raw.settimeout(remaining(deadline))
                    raw.connect(address)
                    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.sock = self.tls.wrap_socket(raw, server_hostname=self.host) if self.tls else raw
                    return connection
                except BaseException:
                    raw.close()
                    raise
            except TimeoutError:
                raise
            except OSError as refused:
                error = refused
        raise error

    def read(self, connection, deadline):
        connection.sock.settimeout(remaining(deadline))
        response = connection.getresponse()
        chunks = []
        while True:
            if connection.sock is not None:
                connection.sock.settimeout(remaining(deadline))
            chunk = response.read1(1 << 20)
            if not chunk:
                break
            chunks.append(chunk)
        content = b''.join(chunks)
        length = response.headers.get('Content-Length')
        if length is not None and response.status != 304 and int(length) != len(content):
            raise http.client.IncompleteRead(content)
        self.store = response.headers.get('X-Worklane-Store') or self.store
        closing = response.will_close
        # Read to its end but not closed, it would keep the connection from being used again.
        response.close()
        if closing:
            connection.close()
        else:
            self.pool.append(connection)
        return response.status, response.headers, content


class Asked:
    """One request that is on its way to an engine."""

    def __init__(self, method, path, body, headers):
        self.method, self.path, self.body, self.headers = method, path, body, headers
        self.connection = None
        self.is_kept = False


def in_turn():
    """The engines, the one that answered last first; those that are left alone now come last."""
    return sorted(engines, key=lambda one: (is_of_another(one), one.circuit.is_open(), one is not preferred))


def is_of_another(one):
    """Whether it works on another store than that of the site: an engine of another site, or one that was started without
    the Redis of this one. It does not know our patients, and would say that there are none."""
    return len(engines) > 1 and one.store not in ('', store_of_site())


def store_of_site():
    """That of the first engine in the list. As long as that one was not heard since Orthanc was started, the store that
    the last worklist came from, in this run of Orthanc or another; where there is none, that of the first that was heard."""
    first = engines[0].store or snapshot.store
    return first or next((one.store for one in engines if one.store), '')


ANOTHER = 'it has another store than the first engine, or than the worklist that was shown last'


def prefer(one):
    global preferred
    preferred = one


def ask_any(path, body, seconds):
    """Answers (headers, items) of the first engine that has an answer.

    Each is given its share of the time that is left; one that has used it up is asked for no more of
    it, but may still be the first to answer. Raises EngineAway."""
    deadline = time.monotonic() + seconds
    to_ask = [one for one in in_turn() if not one.circuit.is_open() and not is_of_another(one)]
    if not to_ask:
        raise EngineAway('not asked')
    late = 'it did not answer in time'
    failure = EngineAway(late)
    asked = selectors.DefaultSelector()
    try:
        while to_ask or asked.get_map():
            until = deadline
            if to_ask:
                one = to_ask.pop(0)
                now = time.monotonic()
                until = now + max(0.0, deadline - now) / (len(to_ask) + 1)
                try:
                    sent = one.start('POST', path, body, None, until)
                    asked.register(sent.connection.sock, selectors.EVENT_READ, (one, sent))
                except EngineAway as error:
                    one.circuit.failed(str(error))
                    failure = error
                    continue
            for key, _ in asked.select(max(0.0, until - time.monotonic())):
                one, sent = key.data
                asked.unregister(key.fileobj)
                try:
                    status, headers, content = one.finish(sent, deadline)
                    if status == 200:
                        items = items_of(headers, content)
                        if is_of_another(one):
                            raise EngineAway(ANOTHER)
                        one.circuit.succeeded()
                        prefer(one)
                        return headers, items
                    # Loading, it says so at once; a query that it refuses must not cost the other modalities their answer.
                    one.circuit.failed(status_reason(status), opens=status not in (400, 413, 422, 503))
                    failure = EngineAway(status_reason(status))
                except EngineAway as error:
                    one.circuit.failed(str(error))
                    failure = error
            if time.monotonic() >= deadline:
                break
        raise failure
    finally:
        # Another was faster, or nobody was in time.
        for key in list(asked.get_map().values()):
            one, sent = key.data
            sent.connection.close()
            one.circuit.failed(late)
        asked.close()


def remaining(deadline):
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError('timed out')
    return left


def reason_of(error):
    if isinstance(error, TimeoutError):
        return 'it did not answer in time'
    if isinstance(error, ConnectionRefusedError):
        return 'connection refused'
    if isinstance(error, socket.gaierror):
        return 'its host name is not known'
    return type(error).__name__


def frames(content):
    """Length-framed Part 10 files: four bytes, big-endian, and that many bytes, repeated."""
    items = []
    at = 0
    while at < len(content):
        if at + 4 > len(content):
            raise EngineAway('its answer is cut')
        (length,) = struct.unpack_from('>I', content, at)
        at += 4
        if at + length > len(content):
            raise EngineAway('its answer is cut')
        items.append(content[at:at + length])
        at += length
    return items


def items_of(headers, content):
    """The items of an answer. A server that is no engine may well say 200 and nothing: that is no empty worklist."""
    items = frames(content)
    if headers.get('X-Worklane-Count') != str(len(items)) or not headers.get('X-Worklane-Version'):
        raise EngineAway('its answer is not that of an engine')
    return items


class Circuit:
    """After a failure the engine is not asked for a while: every modality waits while one does."""

    def __init__(self, name):
        self.name = name
        self.open_until = 0.0
        self.detail = 'not asked yet'
        self.reachable = None
        self.looked_at = float('-inf')

    def is_open(self):
        return time.monotonic() < self.open_until

    def succeeded(self):
        self.heard()
        self.open_until = 0.0

    def heard(self):
        if self.reachable is False:
            orthanc.LogWarning('worklane: the engine%s answers again' % self.name)
        self.reachable, self.detail = True, ''

    def failed(self, detail, opens=True):
        if self.detail != detail:
            orthanc.LogWarning('worklane: the engine%s cannot be asked (%s)' % (self.name, detail))
        self.reachable, self.detail = False, detail
        if opens:
            self.open_until = time.monotonic() + CIRCUIT_SECONDS


# --- The snapshot -------------------------------------------------------------------------------


class Snapshot:
    """The last worklist that the engine gave, in memory and in a file.

    The file is a line of JSON, then the frames as they came; `PATH.confirmed` says when the
    engine last said that this version is still the newest. Both are written under another
    name and renamed. A file that does not match its digest is no snapshot.
    """

    def __init__(self, path):
        self.path = path
        self.items = None
        self.read = {}
        self.version = ''
        # ETag of the version, as the engine gave it; '' asks for all of it again.
        self.tag = ''
        # The name of the store that it came from, as far as the engine said.
        self.store = ''
        self.confirmed_at = 0.0
        self.saved_at = 0.0
        try:
            self.load()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, EngineAway) as error:
            orthanc.LogError('worklane: the snapshot cannot be read (%s)' % type(error).__name__)

    def load(self):
        with open(self.path, 'rb') as file:
            head = json.loads(file.readline())
            content = file.read()
        if head['format'] != 1 or hashlib.sha256(content).hexdigest() != head['sha256']:
            raise ValueError('damaged')
        confirmed_at = head['confirmedAt']
        try:
            with open(self.path + '.confirmed', encoding='utf-8') as file:
                confirmed = json.load(file)
            if confirmed['sha256'] == head['sha256']:
                confirmed_at = max(confirmed_at, confirmed['confirmedAt'])
        except (OSError, ValueError, KeyError):
            pass
        self.take({**head, 'confirmedAt': confirmed_at}, frames(content))

    def take(self, head, items):
        self.version, self.tag, self.digest = head['version'], head['tag'], head['sha256']
        self.store = head.get('store', '')
        # Items before the time: whoever looks meanwhile takes the new ones for older, never the reverse.
        self.items, self.read = items, {}
        self.confirmed_at = head['confirmedAt']

    def replace(self, headers, items, content, store, now):
        head = {'format': 1, 'version': headers.get('X-Worklane-Version', ''), 'tag': headers.get('ETag', ''),
                'store': store, 'confirmedAt': now, 'sha256': hashlib.sha256(content).hexdigest()}
        self.take(head, items)
        if self.write(self.path, json.dumps(head).encode() + b'\n' + content):
            self.saved_at = now
        else:
            self.tag = ''

    def confirm(self, store, now):
        self.confirmed_at = now
        if store != self.store:
            # The same worklist, from a store that took the place of the other: the file is to say so.
            self.tag = ''
        # A restart may find it up to 30 s older than it is, never younger.
        if not 0 <= now - self.saved_at < 30:
            confirmed = {'sha256': self.digest, 'confirmedAt': now}
            if self.write(self.path + '.confirmed', json.dumps(confirmed).encode()):
                self.saved_at = now

    def write(self, path, content):
        try:
            write_file(path, content)
            return True
        except OSError as error:
            orthanc.LogError('worklane: the snapshot cannot be written (%s)' % type(error).__name__)
            return False

    def keys(self, item):
        """What an item says, read once: a snapshot answers for as long as the engine is away."""
        read = self.read
        if item not in read:
            read[item] = {tag: value for tag, value in keys_of(item).items() if value}
        return read[item]

    def read_ahead(self):
        """The engine is away: the first modality that asks shall not wait until all is read."""
        for item in self.items or ():
            if stopping.is_set():
                return
            self.keys(item)

    def age(self):
        return None if self.items is None else time.time() - self.confirmed_at

    def is_valid(self):
        age = self.age()
        # A clock that was set back by more than five minutes says nothing about age.
        return age is not None and -300 <= age <= MAX_AGE


def refresh_snapshot():
    """Brings the snapshot up to date; answers whether an engine was heard."""
    known = {'If-None-Match': snapshot.tag} if snapshot.tag else {}
    for one in in_turn():
        # The age counts from before the question: what changed while it was answered is not in it.
        now = time.time()
        try:
            status, headers, content = one.request('GET', '/worklist/snapshot', headers=known)
            if is_of_another(one):
                raise EngineAway(ANOTHER)
            if status == 304 and known:
                snapshot.confirm(one.store, now)
            elif status == 200:
                snapshot.replace(headers, items_of(headers, content), content, one.store, now)
            else:
                raise EngineAway(status_reason(status))
            one.circuit.heard()
            prefer(one)
            return True
        except EngineAway as error:
            one.circuit.failed(str(error), opens=False)
    return False


def look_at_others():
    """Whether those that are not asked now could be: a wrong token, or an engine that is away, is known before it counts."""
    for one in engines:
        pause = LOOK_AGAIN_SECONDS if one.circuit.reachable is False and wanted.is_set() else LOOK_SECONDS
        if one is preferred or stopping.is_set() or time.monotonic() - one.circuit.looked_at < pause:
            continue
        one.circuit.looked_at = time.monotonic()
        try:
            status, _, _ = one.request('GET', '/api/orthanc-changes?limit=1', seconds=2.0)
            if status != 200:
                raise EngineAway(status_reason(status))
            if is_of_another(one):
                raise EngineAway(ANOTHER)
            one.circuit.heard()
        except EngineAway as error:
            one.circuit.failed(str(error), opens=False)
    wanted.clear()


def status_reason(status):
    if status == 503:
        return 'it is loading its worklist'
    if status in (401, 403):
        return 'it does not accept WORKLANE_TOKEN'
    return 'it answered %d' % status


def keep_snapshot():
    while not stopping.is_set():
        try:
            if not refresh_snapshot():
                snapshot.read_ahead()
        except Exception as error:
            orthanc.LogError('worklane: the snapshot failed (%s)' % type(error).__name__)
        looked.set()
        look_at_others()
        stopping.wait(min(1.0, REFRESH))
        wake_snapshot.wait(max(0.0, REFRESH - 1.0))
        wake_snapshot.clear()


# --- C-FIND -------------------------------------------------------------------------------------


def answer(answers, query, calling, called, remote_ip):
    dicom = query.WorklistGetDicomQuery()
    asked = without_nulls(keys_of(dicom))
    carried = take_carried(asked)
    try:
        items = ask_engine(asked, calling, called, remote_ip)
    except EngineAway:
        items = ask_snapshot(asked, query, carried)
    for item in items:
        answers.WorklistAddAnswer(query, item)


def keys_of(dicom):
    return json.loads(orthanc.DicomBufferToJson(
        dicom, orthanc.DicomToJsonFormat.SHORT, orthanc.DicomToJsonFlags.NONE, 0))


def take_carried(asked):
    """Puts what worklist-request.lua took out of the sequences back to its place; answers whether it did.

    WorklistAddAnswer leaves out the steps that Orthanc's own matching refuses, so the query that
    Orthanc holds asks for nothing inside sequences."""
    global has_filter
    try:
        carried = json.loads(asked.get(CARRIER) or 'null')
    except ValueError:
        carried = None
    if not isinstance(carried, dict) or carried.pop('worklane', '') != '1':
        if has_filter:
            orthanc.LogWarning('worklane: worklist-request.lua is not loaded: some answers will lack their step')
        has_filter = False
        return False
    has_filter = True
    del asked[CARRIER]
    for path, value in carried.items():
        item = asked
        *way, tag = path.split('/')
        try:
            for sequence, index in zip(way[::2], way[1::2]):
                item = item[sequence][int(index)]
            item[tag] = value
        except (KeyError, IndexError, TypeError):
            # A sequence that Orthanc does not know is one that no item has.
            pass
    return True


def without_nulls(keys):
    """A key without a value, or with one that is not text, asks for everything."""
    return {tag: [without_nulls(item) for item in value] if isinstance(value, list) else value or ''
            for tag, value in keys.items()}


def ask_engine(asked, calling, called, remote_ip):
    body = {'query': asked, 'callingAeTitle': calling, 'calledAeTitle': called}
    if remote_ip:
        body['remoteIp'] = remote_ip
    headers, items = ask_any('/worklist/find', json.dumps(body).encode(), TIMEOUT)
    if headers.get('X-Worklane-Version', '') != snapshot.version:
        wake_snapshot.set()
    return items


def ask_snapshot(asked, query, carried):
    if not snapshot.is_valid():
        raise RuntimeError('the engine is away and there is no snapshot that is young enough')
    if carried:
        # Orthanc's query holds what was carried, which no item has: to Orthanc none would match.
        wanted = {tag: value for tag, value in asked.items() if asks(tag, value)}
        return [item for item in snapshot.items if not wanted or holds_all(wanted, snapshot.keys(item))]
    if spans_days_and_hours(asked):
        raise RuntimeError('the engine is away and the snapshot cannot answer a range of both days and hours')
    return [item for item in snapshot.items if query.WorklistIsMatch(item)]


def spans_days_and_hours(asked):
    """A range of dates with a range of times is one period (PS3.4 K.6.1.2.2); Orthanc's own matching
    takes them apart and would leave items out."""
    for step in asked.get('0040,0100', ()):
        if isinstance(step, dict) and '-' in step.get('0040,0002', '') and '-' in step.get('0040,0003', ''):
            first, _, last = step['0040,0002'].partition('-')
            if first.strip() != last.strip():
                return True
    return False


# --- Matching, for the snapshot (PS3.4 C.2.2.2, K.6.1.2.2; as src/dicom/match.ts) ---------------


def asks(tag, wanted):
    """Whether a key asks for anything: a text other than stars, or a sequence with one."""
    if isinstance(wanted, list):
        return any(asks(inner, value) for item in wanted for inner, value in item.items())
    # Libraries that cannot write a number without a value write 0.
    nothing = BLANK + ('0.' if tag in NUMBERS else '*')
    return tag not in ABOUT_THE_QUERY and wanted.strip(nothing) != ''


def holds_all(asked, item):
    """Whether an item, or the dataset, has all that is asked."""
    if spans_days_and_hours({STEPS: [asked]}):
        if not within_period(span(asked[START_DATE], 8), span(asked[START_TIME], 12), item):
            return False
        asked = {tag: value for tag, value in asked.items() if tag not in (START_DATE, START_TIME)}
    return all(holds(tag, wanted, item.get(tag)) for tag, wanted in asked.items())


def holds(tag, wanted, given):
    # What no item of ours can have must not hide a patient.
    if not asks(tag, wanted) or (given is None and tag not in KNOWN):
        return True
    if isinstance(wanted, list):
        return any(holds_all(one, item) for one in wanted for item in given or ())
    wanted = wanted.strip(BLANK)
    values = [value.strip(BLANK) for value in (given if isinstance(given, str) else '').split('\\')]
    if tag in DATES or tag in TIMES:
        digits = 8 if tag in DATES else 12
        bounds = span(wanted, digits)
        return bounds is not None and any(within(bounds, value, digits) for value in values)
    if tag in NAMES:
        return any(same_name(wanted, value) for value in values)
    return any(fnmatch.fnmatchcase(value, one.strip(BLANK).replace('[', '[[]'))
               for one in wanted.split('\\') for value in values)


def same_name(wanted, given):
    """Of any group; without regard to case and to carets at the end."""
    pattern = wanted.casefold().replace('[', '[[]')
    bare = re.sub(r'(\^\*?)+$', '', pattern)
    groups = [re.sub(r'\^+$', '', group.strip(BLANK)) for group in given.casefold().split('=')]
    return any(fnmatch.fnmatchcase(group, one) for group in groups + [given.casefold()] for one in (pattern, bare))


def span(text, digits):
    """Bounds as digits of full length, '' where open; None for what is neither a value nor a range."""
    plain = re.sub(r'^(\d{4})-(\d{2})-(\d{2})$', r'\1\2\3', re.sub(r'[.:\s]', '', text))
    parts = re.fullmatch(r'(\d*)(-?)(\d*)', plain)
    if parts is None or max(len(parts[1]), len(parts[3])) > digits or not parts[0]:
        return None
    low, hyphen, high = parts.groups()
    if not hyphen:
        high = low
    return low and low.ljust(digits, '0'), high and high.ljust(digits, '9')


def within(bounds, value, digits):
    low, high = bounds
    plain = re.sub(r'[.:\s]', '', value)
    if plain == '':
        return False
    plain = plain.ljust(digits, '0')
    if digits == 12 and low and high and low > high:
        # A range of times alone may pass midnight: 220000-060000 is the night.
        return plain >= low or plain <= high
    return (not low or plain >= low) and (not high or plain <= high)


def within_period(days, hours, step):
    if days is None or hours is None:
        return False
    day, hour = [re.sub(r'[.:\s]', '', step.get(tag) or '') for tag in (START_DATE, START_TIME)]
    if day == '' or hour == '':
        return False
    start = day.ljust(8, '0') + hour.ljust(12, '0')
    low = days[0] and days[0] + (hours[0] or '0' * 12)
    high = days[1] and days[1] + (hours[1] or '9' * 12)
    return (not low or start >= low) and (not high or start <= high)


def on_worklist(answers, query, calling, called):
    answer(answers, query, calling, called, '')


def on_worklist_2(answers, query, connection):
    answer(answers, query, connection.GetConnectionRemoteAet(), connection.GetConnectionCalledAet(),
           connection.GetConnectionRemoteIp())


# --- Changes ------------------------------------------------------------------------------------


def names_of(enumeration):
    """Orthanc's words: NEW_INSTANCE is NewInstance."""
    return {getattr(enumeration, name): name.title().replace('_', '') for name in dir(enumeration)
            if name.isupper() and isinstance(getattr(enumeration, name), int)}


CHANGES = names_of(orthanc.ChangeType)
LEVELS = {level: '' if name == 'None' else name for level, name in names_of(orthanc.ResourceType).items()}
# What /changes never holds.
TOLD_ONLY_HERE = {'Deleted', 'NewChildInstance', 'OrthancStarted', 'OrthancStopped', 'UpdatedPeers',
                  'UpdatedModalities', 'JobSubmitted', 'JobSuccess', 'JobFailure'}
# Changes that wait for the engine. From the half on, those that come by the thousand are not kept any more.
SPOOL_LIMIT = 100000
BATCH = 500
# Numbers that the engine (JavaScript) can tell apart.
LARGEST = 1 << 53


def place():
    """This start of this machine: a copy of it, once it has been started, is another place."""
    try:
        with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as file:
            boot = file.read().strip()
    except OSError:
        boot = ''
    return hashlib.sha256((boot + ' ' + socket.gethostname()).encode()).hexdigest()[:16]


class Spool:
    """What only this plugin sees, until the engine has stored it; identifiers only.

    The file is a line about the spool, then one for each change, and one for what the engine has
    taken whenever it has taken some. A change is in the file before its callback ends, so that a
    killed Orthanc loses none; it is brought again until the engine has said that it is stored, and
    the engine leaves out the numbers that it has. When most of the file was taken it is written anew.

    Of two machines that are copies of one, the engine would take the numbers of the one for those of the
    other. So a spool that wakes up in another place gets a name of its own, as soon as nothing waits.
    """

    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.waiting = collections.deque()
        self.file = None
        self.lines = 0
        self.size = 0
        self.detail = ''
        self.id, self.number, self.dropped = os.urandom(16).hex(), 0, 0
        self.here = self.made_at = place()
        try:
            self.load()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError) as error:
            orthanc.LogError('worklane: the spool cannot be read (%s)' % type(error).__name__)
            self.put_aside()
        self.tidy()

    def load(self):
        with open(self.path, 'rb') as file:
            head = json.loads(file.readline())
            lines = file.read().split(b'\n')
        spool, number, dropped = head['spool'], int(head['number']), int(head['dropped'])
        if not isinstance(spool, str) or not 0 <= number < LARGEST:
            raise ValueError('no spool')
        self.id, self.number, self.dropped = spool, number, dropped
        self.made_at = head.get('place', self.here)
        last = -1
        for line in lines:
            try:
                told = json.loads(line)
                if 'taken' in told:
                    self.forget(int(told['taken']))
                    continue
                number = told['number']
                # The engine takes ascending numbers only, and a batch with anything else not at all.
                if not last < number < LARGEST or not isinstance(told['change'], str) or not isinstance(told['at'], str):
                    continue
                last = number
                self.number = max(self.number, number)
                self.waiting.append((number, line))
            except (ValueError, KeyError, TypeError, AttributeError):
                # Cut by a power failure, or nothing behind the last one.
                continue

    def put_aside(self):
        try:
            os.replace(self.path, self.path + '.damaged')
        except OSError:
            pass

    def add(self, change, level, resource):
        now = datetime.datetime.now(datetime.timezone.utc)
        with self.lock:
            kept = len(self.waiting)
            comes_by_the_thousand = change == 'NewChildInstance' or level == 'Instance'
            if kept >= SPOOL_LIMIT // 2 and comes_by_the_thousand:
                self.dropped += 1
                return
            if kept >= SPOOL_LIMIT:
                self.waiting.popleft()
                self.dropped += 1
            # Never a number twice, even where the file could not be written before a restart.
            self.number = max(self.number + 1, int(now.timestamp() * 1000))
            at = now.strftime('%Y-%m-%dT%H:%M:%S.') + '%03dZ' % (now.microsecond // 1000)
            line = json.dumps({'number': self.number, 'change': change, 'level': level, 'resource': resource,
                               'at': at}).encode()
            self.waiting.append((self.number, line))
            self.write(line)

    def write(self, line):
        if self.file is None:
            return
        try:
            if os.write(self.file, line + b'\n') <= len(line):
                raise OSError('cut')
            self.lines += 1
            self.size += len(line) + 1
        except OSError as error:
            # `tidy` tries again with all that waits.
            self.close()
            orthanc.LogError('worklane: the spool cannot be written (%s)' % type(error).__name__)

    def close(self):
        if self.file is not None:
            os.close(self.file)
            self.file = None

    def is_there(self):
        """Whether what is written is what a restart will read: nobody has removed, replaced or cut the file."""
        try:
            here, there = os.fstat(self.file), os.stat(self.path)
            return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino) and there.st_size >= self.size
        except OSError:
            return False

    def batch(self):
        with self.lock:
            return list(itertools.islice(self.waiting, BATCH))

    def taken(self, number):
        with self.lock:
            self.forget(number)
            self.write(json.dumps({'taken': number}).encode())

    def forget(self, number):
        while self.waiting and self.waiting[0][0] <= number:
            self.waiting.popleft()

    def tidy(self):
        """Writes the file anew where it has to be. Callbacks do not wait for that: what comes meanwhile is added at the end."""
        with self.lock:
            is_copy = self.made_at != self.here and not self.waiting
            if is_copy:
                self.id, self.made_at = os.urandom(16).hex(), self.here
            elif self.file is not None and self.lines <= 1000 + 2 * len(self.waiting) and self.is_there():
                return
            head = json.dumps({'spool': self.id, 'number': self.number, 'dropped': self.dropped,
                               'place': self.made_at}).encode()
            kept = list(self.waiting)
            up_to = self.number
        try:
            temporary = write_temporary(self.path, b''.join(line + b'\n' for line in [head, *(line for _, line in kept)]))
            with self.lock:
                late = [line for number, line in self.waiting if number > up_to]
                if kept and (not self.waiting or self.waiting[0][0] != kept[0][0]):
                    taken = self.waiting[0][0] - 1 if self.waiting else self.number
                    late.append(json.dumps({'taken': taken}).encode())
                self.close()
                file = os.open(temporary, os.O_WRONLY | os.O_APPEND)
                try:
                    content = b''.join(line + b'\n' for line in late)
                    if os.write(file, content) < len(content):
                        raise OSError('cut')
                    os.replace(temporary, self.path)
                except BaseException:
                    os.close(file)
                    raise
                self.file, self.lines = file, len(kept) + len(late)
                self.size = os.fstat(file).st_size
        except OSError as error:
            self.say('its file cannot be written (%s)' % type(error).__name__)

    def sync(self):
        """What has to wait shall outlive a power failure too."""
        try:
            if self.file is not None:
                os.fsync(self.file)
        except OSError:
            pass

    def say(self, detail):
        if detail and detail != self.detail:
            orthanc.LogWarning('worklane: changes wait in the spool: %s' % detail)
        self.detail = detail


def on_change(change, level, resource):
    """Only notes what happened: the callback that waits holds up all that come after it."""
    name = CHANGES.get(change, str(change))
    if name in TOLD_ONLY_HERE:
        spool.add(name, LEVELS.get(level, ''), resource or '')
    else:
        news.append(name)
    if name == 'OrthancStarted':
        try:
            find_rival()
            ensure_identity()
        finally:
            started.set()
    elif name == 'OrthancStopped':
        stopping.set()
        started.set()
        wake_snapshot.set()
    something.set()


def keep_telling():
    started.wait()
    while True:
        if not spool.waiting:
            something.wait()
        # What comes together is told together.
        stopping.wait(0.1)
        something.clear()
        is_last = stopping.is_set()
        try:
            has_all = tell()
        except Exception as error:
            orthanc.LogError('worklane: changes could not be told (%s)' % type(error).__name__)
            has_all = False
        if not has_all:
            spool.sync()
        spool.tidy()
        if is_last:
            return
        if not has_all:
            stopping.wait(2.0)


def tell():
    """Brings what waits, or nudges for what stands in /changes; answers whether the engine has all that waited.

    Before it takes anything the engine reads /changes to its end: then it needs no nudge, unless it refuses.
    """
    while True:
        rows = spool.batch()
        if news and (not rows or spool.detail):
            # One nudge is enough, whatever it is about; an engine that is away reads them when it is back.
            if not post('/orthanc/nudge', json.dumps({'change': news.pop()}).encode(), 5.0):
                return not rows
        if not rows:
            spool.say('')
            return True
        news.clear()
        if not bring(rows, set()):
            return False
        if len(rows) < BATCH:
            return True


def bring(rows, unfit):
    """Answers whether the engine has them. One that it can never take keeps back no other: it is left out when one
    behind it was taken. An engine that takes none at all is another one than ours, and loses none."""
    head = json.dumps({'database': identity, 'spool': spool.id})[:-1].encode()
    body = head + b',"rows":[' + b','.join(line for _, line in rows) + b']}'
    if post('/orthanc/events', body, 30.0):
        spool.say('')
        spool.taken(rows[-1][0])
        for number in unfit:
            spool.dropped += 1
            orthanc.LogError('worklane: the engine cannot take a change, it is left out: number %d' % number)
        unfit.clear()
        return True
    if spool.detail != UNFIT or len(unfit) >= MOST_UNFIT:
        return False
    if len(rows) == 1:
        unfit.add(rows[0][0])
        return False
    half = len(rows) // 2
    if not bring(rows[:half], unfit) and spool.detail != UNFIT:
        return False
    return bring(rows[half:], unfit)


UNFIT = 'the engine answered 400 E804 to /orthanc/events'
# So many are looked for at once.
MOST_UNFIT = 20


def post(path, body, seconds):
    """Whether an engine took it. The next one is asked where one is away, or cannot take it now."""
    detail = ''
    for one in in_turn():
        if is_of_another(one):
            continue
        try:
            status, _, content = one.request('POST', path, body, seconds=seconds)
        except EngineAway as error:
            detail = detail or 'the engine is away: ' + str(error)
            continue
        if is_of_another(one):
            # It may say so only now: what it took is still to be brought to ours.
            detail = detail or ANOTHER
            continue
        if 200 <= status < 300:
            return True
        code = re.search(rb'"code":"(E\d+)"', content)
        detail = 'the engine answered %d%s to %s' % (status, ' ' + code[1].decode() if code else '', path)
        if status < 500:
            break
    spool.say(detail)
    return False


# --- REST ---------------------------------------------------------------------------------------


def ensure_identity():
    """A random name kept in the database: another one means that the database was made anew."""
    global identity
    identity = orthanc.GetGlobalProperty(IDENTITY_PROPERTY, '')
    if not identity:
        identity = orthanc.GenerateUuid()
        orthanc.SetGlobalProperty(IDENTITY_PROPERTY, identity)


def on_identity(output, uri, **request):
    if request.get('method') != 'GET':
        output.SendMethodNotAllowed('GET')
    elif not identity:
        output.SendHttpStatusCode(503)
    else:
        output.AnswerBuffer(json.dumps({'identity': identity}), 'application/json')


def said_of(one):
    return {
        'reachable': one.circuit.reachable is True,
        'detail': one.circuit.detail,
        'circuit': 'open' if one.circuit.is_open() else 'closed',
    }


def on_status(output, uri, **request):
    if request.get('method') != 'GET':
        output.SendMethodNotAllowed('GET')
        return
    if any(one.circuit.reachable is False for one in engines):
        # Whoever asks again in a moment hears how it is then: an engine may just have come back.
        wanted.set()
        wake_snapshot.set()
    age = snapshot.age()
    output.AnswerBuffer(json.dumps({
        'plugin': VERSION,
        # The one that is asked first.
        'engine': said_of(in_turn()[0]),
        'engines': [{'name': one.name, **said_of(one)} for one in engines],
        # Whether a worklist query comes to this plugin at all.
        'isAsked': rival != 'first',
        'hints': hints(),
        'requestFilter': has_filter,
        'snapshot': {
            'valid': snapshot.is_valid(),
            'version': snapshot.version,
            'count': None if snapshot.items is None else len(snapshot.items),
            'ageSeconds': None if age is None else round(age, 1),
            'maxAgeSeconds': MAX_AGE,
        },
        # Changes that the engine has yet to take, and those that could not be kept for it.
        'spool': {'waiting': len(spool.waiting), 'dropped': spool.dropped, 'detail': spool.detail},
    }), 'application/json')


identity = ''
came_second = is_rival_loaded()
# Whether Orthanc's own worklist plugin is at work too: '', 'first' or 'second'.
rival = ''
# Not known before the first query: what is warned of is a change for the worse.
has_filter = True
stopping = threading.Event()
wake_snapshot = threading.Event()
looked = threading.Event()
wanted = threading.Event()
started = threading.Event()
something = threading.Event()
# What came to /changes since the engine was last nudged.
news = collections.deque(maxlen=1)
token = Token()
engines = [Engine(url, len(URLS) == 1) for url in URLS]
# Who answered last.
preferred = engines[0]
snapshot = Snapshot(file_path('WORKLANE_SNAPSHOT_PATH', 'worklane-snapshot'))
spool = Spool(file_path('WORKLANE_SPOOL_PATH', 'worklane-spool'))

if hasattr(orthanc, 'RegisterWorklistCallback2'):
    orthanc.RegisterWorklistCallback2(on_worklist_2)
else:
    orthanc.RegisterWorklistCallback(on_worklist)
orthanc.RegisterOnChangeCallback(on_change)
orthanc.RegisterRestCallback('/worklane/identity', on_identity)
orthanc.RegisterRestCallback('/worklane/status', on_status)
for work in (keep_snapshot, keep_telling):
    threading.Thread(target=work, name='worklane', daemon=True).start()
# A snapshot of before Orthanc was stopped may be hours old: the engine is asked first, where it is there.
looked.wait(2.0)

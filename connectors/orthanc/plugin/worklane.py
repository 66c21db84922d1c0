# SPDX-License-Identifier: AGPL-3.0-or-later
"""Worklane's plugin for Orthanc: a modality's worklist query is answered by the engine.

One file, standard library only, Python 3.11 or later, orthanc-python 4.0 or later.
Orthanc's environment names the engine:

  WORKLANE_URL                       http://127.0.0.1:8575
  WORKLANE_TOKEN                     secret of the engine's HTTP API,
  WORKLANE_TOKEN_FILE                or the file that holds it (read again when it changes)
  WORKLANE_TIMEOUT_MS                300: what one query may take in all
  WORKLANE_CIRCUIT_SECONDS           5: how long an engine that did not answer is left alone
  WORKLANE_SNAPSHOT_PATH             worklane-snapshot in Orthanc's storage folder
  WORKLANE_SNAPSHOT_SECONDS          5: how often the snapshot is brought up to date
  WORKLANE_SNAPSHOT_MAX_AGE_SECONDS  43200: an older snapshot answers nobody

A modality gets the truth or a failure, never an empty lie (I10). The engine answers
within its time, or the last snapshot does; without a valid one the callback raises and
the C-FIND fails (0xC000). Orthanc calls worklist callbacks one after the other, so an
engine that does not answer is left alone for a while.

The log and /worklane/status hold no patient data; the snapshot does (mode 0600).
"""

import collections
import hashlib
import http.client
import json
import os
import queue
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


def setting(name, default):
    return os.environ.get(name, '') or default


URL = urllib.parse.urlsplit(setting('WORKLANE_URL', 'http://127.0.0.1:8575'))
TIMEOUT = float(setting('WORKLANE_TIMEOUT_MS', '300')) / 1000
MAX_AGE = float(setting('WORKLANE_SNAPSHOT_MAX_AGE_SECONDS', '43200'))
CIRCUIT_SECONDS = float(setting('WORKLANE_CIRCUIT_SECONDS', '5'))
REFRESH = float(setting('WORKLANE_SNAPSHOT_SECONDS', '5'))
HOST = URL.hostname or '127.0.0.1'
PORT = URL.port or (443 if URL.scheme == 'https' else 80)
BASE = URL.path.rstrip('/')


def snapshot_path():
    configured = setting('WORKLANE_SNAPSHOT_PATH', '')
    if configured:
        return configured
    storage = json.loads(orthanc.GetConfiguration()).get('StorageDirectory', 'OrthancStorage')
    if not os.path.isabs(storage):
        # Orthanc reads it from the folder of its configuration.
        path = orthanc.GetConfigurationPath()
        storage = os.path.join(path if os.path.isdir(path) else os.path.dirname(path), storage)
    return os.path.join(storage, 'worklane-snapshot')


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
    """HTTP to the engine over connections that stay open.

    The pool belongs to the module: what a thread keeps for itself is gone at the next
    callback. Name look-ups have no time limit of their own, so queries use the addresses
    that a background request found.
    """

    def __init__(self):
        self.pool = collections.deque(maxlen=4)
        self.addresses = []
        self.token = Token()
        self.tls = ssl.create_default_context() if URL.scheme == 'https' else None
        try:
            socket.inet_aton(HOST)
            self.resolve()
        except OSError:
            pass

    def resolve(self):
        found = socket.getaddrinfo(HOST, PORT, type=socket.SOCK_STREAM)
        self.addresses = [(family, address) for family, _, _, _, address in found]

    def request(self, method, path, body=None, headers=None, seconds=10.0, look_up=True):
        """Answers (status, headers, bytes), or raises EngineAway when `seconds` are over."""
        deadline = time.monotonic() + seconds
        try:
            if look_up:
                self.resolve()
            while True:
                kept = self.pool.pop() if self.pool else None
                connection = kept or self.connect(deadline)
                try:
                    return self.exchange(connection, method, path, body, headers, deadline)
                except (http.client.HTTPException, ConnectionError):
                    connection.close()
                    # The engine closed a connection that had been idle: what we ask is asked again on a new one.
                    if kept is None:
                        raise
                except BaseException:
                    connection.close()
                    raise
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineAway(reason_of(error)) from None

    def connect(self, deadline):
        error = OSError('its address is not known yet')
        for family, address in self.addresses:
            connection = http.client.HTTPConnection(HOST, PORT)
            try:
                raw = socket.socket(family, socket.SOCK_STREAM)
                try:
                    raw.settimeout(remaining(deadline))
                    raw.connect(address)
                    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    connection.sock = self.tls.wrap_socket(raw, server_hostname=HOST) if self.tls else raw
                    return connection
                except BaseException:
                    raw.close()
                    raise
            except TimeoutError:
                raise
            except OSError as refused:
                error = refused
        raise error

    def exchange(self, connection, method, path, body, headers, deadline):
        head = {'Authorization': 'Bearer ' + self.token.read(), **(headers or {})}
        if body is not None:
            head['Content-Type'] = 'application/json'
        connection.sock.settimeout(remaining(deadline))
        connection.request(method, BASE + path, body, head)
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
        closing = response.will_close
        # Read to its end but not closed, it would keep the connection from being used again.
        response.close()
        if closing:
            connection.close()
        else:
            self.pool.append(connection)
        return response.status, response.headers, content


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


class Circuit:
    """After a failure the engine is not asked for a while: every modality waits while one does."""

    def __init__(self):
        self.open_until = 0.0
        self.detail = 'not asked yet'
        self.reachable = None

    def is_open(self):
        return time.monotonic() < self.open_until

    def succeeded(self):
        self.heard()
        self.open_until = 0.0

    def heard(self):
        if self.reachable is False:
            orthanc.LogWarning('worklane: the engine answers again')
        self.reachable, self.detail = True, ''

    def failed(self, detail, opens=True):
        if self.detail != detail:
            orthanc.LogWarning('worklane: the engine cannot be asked (%s)' % detail)
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
        self.version = ''
        # ETag of the version, as the engine gave it; '' asks for all of it again.
        self.tag = ''
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
        # Items before the time: whoever looks meanwhile takes the new ones for older, never the reverse.
        self.items = items
        self.confirmed_at = head['confirmedAt']

    def replace(self, version, tag, content, now):
        items = frames(content)
        head = {'format': 1, 'version': version, 'tag': tag, 'confirmedAt': now,
                'sha256': hashlib.sha256(content).hexdigest()}
        self.take(head, items)
        if self.write(self.path, json.dumps(head).encode() + b'\n' + content):
            self.saved_at = now
        else:
            self.tag = ''

    def confirm(self, now):
        self.confirmed_at = now
        # A restart may find it up to 30 s older than it is, never younger.
        if not 0 <= now - self.saved_at < 30:
            confirmed = {'sha256': self.digest, 'confirmedAt': now}
            if self.write(self.path + '.confirmed', json.dumps(confirmed).encode()):
                self.saved_at = now

    def write(self, path, content):
        try:
            os.makedirs(os.path.dirname(path), exist_ok=True)
            temporary = path + '.tmp'
            handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, 'wb') as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, path)
            return True
        except OSError as error:
            orthanc.LogError('worklane: the snapshot cannot be written (%s)' % type(error).__name__)
            return False

    def age(self):
        return None if self.items is None else time.time() - self.confirmed_at

    def is_valid(self):
        age = self.age()
        # A clock that was set back by more than five minutes says nothing about age.
        return age is not None and -300 <= age <= MAX_AGE


def refresh_snapshot():
    """Brings the snapshot up to date; answers whether the engine was heard."""
    known = {'If-None-Match': snapshot.tag} if snapshot.tag else {}
    # The age counts from before the question: what changed while it was answered is not in it.
    now = time.time()
    try:
        status, headers, content = engine.request('GET', '/worklist/snapshot', headers=known)
        if status == 304 and known:
            snapshot.confirm(now)
        elif status == 200:
            snapshot.replace(headers.get('X-Worklane-Version', ''), headers.get('ETag', ''), content, now)
        else:
            raise EngineAway(status_reason(status))
        circuit.heard()
        return True
    except EngineAway as error:
        circuit.failed(str(error), opens=False)
        return False


def status_reason(status):
    if status == 503:
        return 'it is loading its worklist'
    if status in (401, 403):
        return 'it does not accept WORKLANE_TOKEN'
    return 'it answered %d' % status


def keep_snapshot():
    while not stopping.is_set():
        try:
            refresh_snapshot()
        except Exception as error:
            orthanc.LogError('worklane: the snapshot failed (%s)' % type(error).__name__)
        stopping.wait(min(1.0, REFRESH))
        wake_snapshot.wait(max(0.0, REFRESH - 1.0))
        wake_snapshot.clear()


# --- C-FIND -------------------------------------------------------------------------------------


def answer(answers, query, calling, called, remote_ip):
    dicom = query.WorklistGetDicomQuery()
    asked = without_nulls(json.loads(orthanc.DicomBufferToJson(
        dicom, orthanc.DicomToJsonFormat.SHORT, orthanc.DicomToJsonFlags.NONE, 0)))
    try:
        items = ask_engine(asked, calling, called, remote_ip)
    except EngineAway:
        items = ask_snapshot(asked, query)
    for item in items:
        answers.WorklistAddAnswer(query, item)


def without_nulls(keys):
    """A key without a value, or with one that is not text, asks for everything."""
    return {tag: [without_nulls(item) for item in value] if isinstance(value, list) else value or ''
            for tag, value in keys.items()}


def ask_engine(asked, calling, called, remote_ip):
    if circuit.is_open():
        raise EngineAway('not asked')
    body = {'query': asked, 'callingAeTitle': calling, 'calledAeTitle': called}
    if remote_ip:
        body['remoteIp'] = remote_ip
    try:
        status, headers, content = engine.request(
            'POST', '/worklist/find', json.dumps(body).encode(), seconds=TIMEOUT, look_up=False)
        if status == 200:
            items = frames(content)
    except EngineAway as error:
        circuit.failed(str(error))
        raise
    if status != 200:
        # Loading, it says so at once; a query that it refuses must not cost the other modalities their answer.
        circuit.failed(status_reason(status), opens=status not in (400, 413, 422, 503))
        raise EngineAway(status_reason(status))
    circuit.succeeded()
    if headers.get('X-Worklane-Version', '') != snapshot.version:
        wake_snapshot.set()
    return items


def ask_snapshot(asked, query):
    if not snapshot.is_valid():
        raise RuntimeError('the engine is away and there is no snapshot that is young enough')
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
LEVELS = names_of(orthanc.ResourceType)
# What /changes never holds. Of the rest one nudge is enough, whatever it is about.
TOLD_ONLY_HERE = {'Deleted', 'OrthancStarted', 'OrthancStopped', 'JobSubmitted', 'JobSuccess', 'JobFailure'}


def on_change(change, level, resource):
    """Only notes what happened: the callback that waits holds up all that come after it."""
    if change == orthanc.ChangeType.ORTHANC_STARTED:
        ensure_identity()
    elif change == orthanc.ChangeType.ORTHANC_STOPPED:
        stopping.set()
        wake_snapshot.set()
    try:
        happened.put_nowait((CHANGES.get(change, str(change)), LEVELS.get(level, ''), resource))
    except queue.Full:
        # What /changes holds is polled anyway; a deletion is then found by the engine's own look.
        pass


def keep_nudging():
    waiting = collections.OrderedDict()
    while not (stopping.is_set() and happened.empty()):
        gather(waiting)
        while waiting:
            event = next(iter(waiting))
            if not nudge(*event):
                break
            del waiting[event]
        if waiting:
            # The engine reads /changes by itself when it is back.
            for event in [event for event in waiting if event[0] not in TOLD_ONLY_HERE or event == ('Deleted', '', '')]:
                del waiting[event]
            if stopping.wait(2):
                return


def gather(waiting):
    """The next change, and all that come within a tenth of a second."""
    until = time.monotonic() + 1
    while len(waiting) < 10000:
        try:
            change, level, resource = happened.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return
        until = min(until, time.monotonic() + 0.1)
        # Deleting a study deletes its images one by one: the study says it all.
        alone = change in TOLD_ONLY_HERE and (change != 'Deleted' or level == 'Study')
        waiting[(change, level, resource) if alone else (change, '', '')] = True


def nudge(change, level, resource):
    body = json.dumps({'change': change, 'level': level, 'resource': resource or ''})
    try:
        status, _, _ = engine.request('POST', '/orthanc/nudge', body.encode(), seconds=5.0)
        return status < 500 and status not in (401, 403)
    except EngineAway:
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


def on_status(output, uri, **request):
    if request.get('method') != 'GET':
        output.SendMethodNotAllowed('GET')
        return
    age = snapshot.age()
    output.AnswerBuffer(json.dumps({
        'plugin': VERSION,
        'engine': {
            'reachable': circuit.reachable is True,
            'detail': circuit.detail,
            'circuit': 'open' if circuit.is_open() else 'closed',
        },
        'snapshot': {
            'valid': snapshot.is_valid(),
            'version': snapshot.version,
            'count': None if snapshot.items is None else len(snapshot.items),
            'ageSeconds': None if age is None else round(age, 1),
            'maxAgeSeconds': MAX_AGE,
        },
    }), 'application/json')


identity = ''
stopping = threading.Event()
wake_snapshot = threading.Event()
happened = queue.Queue(maxsize=10000)
engine = Engine()
circuit = Circuit()
snapshot = Snapshot(snapshot_path())

if hasattr(orthanc, 'RegisterWorklistCallback2'):
    orthanc.RegisterWorklistCallback2(on_worklist_2)
else:
    orthanc.RegisterWorklistCallback(on_worklist)
orthanc.RegisterOnChangeCallback(on_change)
orthanc.RegisterRestCallback('/worklane/identity', on_identity)
orthanc.RegisterRestCallback('/worklane/status', on_status)
for work in (keep_snapshot, keep_nudging):
    threading.Thread(target=work, name='worklane', daemon=True).start()

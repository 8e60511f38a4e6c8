/** What a process tries in order to reach the world; runs inside, prints the names of what worked as JSON. */
export const outwardChannels = `
import ctypes, errno, json, os, socket, struct, sys
ask = json.loads(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
opened, tried = [], []
listing = os.open('/proc/self/fd', os.O_RDONLY)
first = set(os.listdir(listing)) - {'0', '1', '2', str(listing)}
first = {fd for fd in first if os.path.exists('/proc/self/fd/' + fd)}
os.close(listing)
SYS = {'x86_64': dict(io_uring_setup=425, bpf=321, keyctl=250, pidfd_open=434, pidfd_getfd=438, clone3=435, unshare=272, setns=308, open_by_handle_at=304, ptrace=101),
       'aarch64': dict(io_uring_setup=425, bpf=280, keyctl=219, pidfd_open=434, pidfd_getfd=438, clone3=435, unshare=97, setns=268, open_by_handle_at=265, ptrace=117)}[os.uname().machine]

def channel(name):
    def run(action):
        tried.append(name)
        try:
            if action(): opened.append(name)
        except Exception: pass
    return run

def connects(family, kind, address, proto=0):
    s = socket.socket(family, kind, proto)
    s.settimeout(2)
    s.connect(address)
    s.send(b'x')
    return True

def sends(family, address):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.sendto(b'x', address)
    return True

def call(name, *args):
    return libc.syscall(SYS[name], *args) >= 0

for host in ask['addresses']:
    family = socket.AF_INET6 if ':' in host else socket.AF_INET
    # To its own loopback a process may speak: the host counts what arrives there, so that only others count here.
    own = host in ('127.0.0.1', '::1')
    channel('tcp ' + host)(lambda: connects(family, socket.SOCK_STREAM, (host, ask['tcp'])))
    channel('udp ' + host)(lambda: sends(family, (host, ask['udp'])) and not own)
    channel('raw icmp ' + host)(lambda: socket.socket(family, socket.SOCK_RAW, 1))
channel('dns')(lambda: socket.getaddrinfo('example.org', 80))
channel('dns by hand')(lambda: sends(socket.AF_INET, ('9.9.9.9', 53)))
channel('broadcast')(lambda: (lambda s: (s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1), s.sendto(b'x', ('255.255.255.255', 9))))(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
channel('multicast')(lambda: sends(socket.AF_INET, ('224.0.0.251', 5353)))
channel('unix path')(lambda: connects(socket.AF_UNIX, socket.SOCK_STREAM, ask['unix']))
channel('unix path through /proc/1/root')(lambda: connects(socket.AF_UNIX, socket.SOCK_STREAM, '/proc/1/root' + ask['unix']))
channel('unix path through the parent')(lambda: connects(socket.AF_UNIX, socket.SOCK_STREAM, '/proc/%d/root%s' % (os.getppid(), ask['unix'])))
channel('abstract')(lambda: connects(socket.AF_UNIX, socket.SOCK_STREAM, '\\0' + ask['abstract']))
channel('abstract datagram')(lambda: connects(socket.AF_UNIX, socket.SOCK_DGRAM, '\\0' + ask['abstract']))
for path in ('/run/docker.sock', '/var/run/docker.sock', '/run/dbus/system_bus_socket', '/run/systemd/private', '/tmp/.X11-unix/X0'):
    channel(path)(lambda: connects(socket.AF_UNIX, socket.SOCK_STREAM, path))
FAMILIES = dict(ax25=3, ipx=4, appletalk=5, x25=9, key=15, packet=17, rds=21, irda=23, llc=26, can=29, tipc=30, bluetooth=31, alg=38, nfc=39, vsock=40, kcm=41, qipcrtr=42, smc=43, xdp=44, mctp=45)
for name, number in FAMILIES.items():
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, socket.SOCK_SEQPACKET):
        channel('socket ' + name)(lambda: socket.socket(number, kind))
channel('raw ip')(lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 255))
channel('sctp')(lambda: connects(socket.AF_INET, socket.SOCK_STREAM, ('127.0.0.1', ask['tcp']), 132))
channel('tcp fast open')(lambda: (lambda s: s.sendto(b'x', 0x20000000, ('127.0.0.1', ask['tcp'])))(socket.socket()))

def ping():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)
    s.sendto(struct.pack('!BBHHH', 8, 0, 0xf7ff, 0, 0), ('9.9.9.9', 0))
    return True
channel('ping socket')(ping)

def netlink_change():
    s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)
    # RTM_NEWLINK for a new dummy interface, with an acknowledgement asked for.
    kind = b'dummy\\0\\0\\0'
    info = struct.pack('HH', 4 + 9, 1) + kind[:5] + b'\\0' * 7
    attr = struct.pack('HH', 4 + len(info), 18) + info
    body = struct.pack('BBHiII', 0, 0, 0, 0, 0, 0) + attr
    s.send(struct.pack('IHHII', 16 + len(body), 16, 0x605, 1, 0) + body)
    answer = s.recv(4096)
    return struct.unpack_from('i', answer, 16)[0] == 0
channel('netlink: a new interface')(netlink_change)
channel('an interface beside the loopback')(lambda: [n for _, n in socket.if_nameindex() if n != 'lo'])
channel('a route')(lambda: len(open('/proc/net/route').read().splitlines()) > 1)
channel("connections of the host in /proc/net/tcp")(lambda: ('%04X' % ask['tcp']) in open('/proc/net/tcp').read())
channel("sockets of the host in /proc/net/unix")(lambda: ask['abstract'] in open('/proc/net/unix').read())
channel('/proc/sys/net')(lambda: open('/proc/sys/net/ipv4/ip_forward', 'r+'))
channel('io_uring')(lambda: call('io_uring_setup', 8, ctypes.create_string_buffer(256)))
channel('bpf')(lambda: call('bpf', 0, ctypes.create_string_buffer(128), 128))
channel('keyring')(lambda: call('keyctl', 0, -3, 1))
channel('a new network namespace')(lambda: call('unshare', 0x40000000))
channel('a new user namespace')(lambda: call('unshare', 0x10000000))
channel('clone3')(lambda: call('clone3', ctypes.create_string_buffer(88), 88))
for pid in (1, os.getppid()):
    channel('a descriptor of process %d' % pid)(lambda: call('pidfd_getfd', libc.syscall(SYS['pidfd_open'], pid, 0), 0, 0))
    channel('tracing process %d' % pid)(lambda: call('ptrace', 16, pid, 0, 0))
for fd in range(3, 256):
    def usable():
        # One end of a connection whose other end is closed may cover a descriptor; nothing else may lie there.
        if str(fd) not in first: return False
        s = socket.socket(fileno=os.dup(fd))
        s.settimeout(1)
        return s.recv(1) != b''
    def other(): return str(fd) in first and os.fstat(fd).st_mode & 0o170000 != 0o140000
    channel('descriptor %d' % fd)(usable)
    channel('no socket at descriptor %d' % fd)(other)
for name in ('mem', 'kmem', 'port', 'kvm', 'vsock', 'vhost-vsock', 'vhost-net', 'net/tun', 'fuse', 'uinput', 'kmsg', 'snapshot', 'loop-control', 'ppp'):
    channel('/dev/' + name)(lambda: os.open('/dev/' + name, os.O_RDWR))
print(json.dumps(dict(opened=opened, tried=len(tried))))
`;

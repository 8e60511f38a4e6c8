import type { Case, Corpus } from './case.ts';

/** A command that must be held, whatever it answers; `hides` is what it prints when it got through. */
const held = (
  title: string,
  command: string,
  more: Partial<Case> & { readonly end?: Case['end'] } = {},
): Case => ({
  title,
  steps: [['run', command]],
  end: { hides: 'THROUGH' },
  ...more,
});

const python = (title: string, code: string): Case => held(title, `python3 - <<'END'\n${code}\nEND`);

export const commandCases: Corpus = {
  'what commands see and change': [
    held('read outside', 'cat $OUT/secret.txt ../outside/* $SIB/secret.txt; ls $OUT && echo THROUGH'),
    held('read outside through a link of their own', 'ln -s $OUT o; cat o/secret.txt; ls o/ && echo THROUGH'),
    held('hard-link a file of outside', 'ln $OUT/secret.txt h; ln /etc/passwd h2 && echo THROUGH'),
    held('copy out', 'echo x > f; cp f $OUT/f; cp f /; cp f /usr/f; cp f /etc/f; install f $B/f'),
    held('write beside the workspace', 'echo x > ../f; mkdir ../d; mv ../ws ../ws2; rmdir $WS'),
    held(
      'change the modes and times of outside',
      'chmod 777 $OUT $RO $RO/r.txt; touch $RO/r.txt $OUT; chown 1 $RO/r.txt',
    ),
    held(
      'write to the readable root',
      'echo x > $RO/x; echo x >> $RO/r.txt; rm -f $RO/r.txt; mv $RO/r.txt x; ln $RO/r.txt l',
    ),
    held('the readable root is readable', 'cat $RO/r.txt', { end: { shows: 'READABLE' } }),
    held(
      'denied files of the workspace',
      'cat .env secrets/* a/k.pem; tar cf - . | grep -c SECRET && echo THROUGH; find . -type f -exec grep -l SECRET {} + && echo THROUGH',
      {
        before: 'mkdir ws/a ws/secrets; for n in .env secrets/x a/k.pem; do echo $SECRET > ws/$n; done',
      },
    ),
    held(
      'denied files of the readable root',
      'cat $RO/.env $RO/secrets/x $RO/a/k.pem; cp -r $RO c; grep -r SECRET c',
      {
        before: 'mkdir ro/a ro/secrets; for n in .env secrets/x a/k.pem; do echo $SECRET > ro/$n; done',
        end: { hides: 'SECRET-' },
      },
    ),
    held('a denied file by a move of its folders', 'mv a b; mv a/c d; cat b/c/k.pem d/k.pem a/c/k.pem', {
      before: 'mkdir -p ws/a/c; echo $SECRET > ws/a/c/k.pem',
    }),
    held(
      'a denied file by replacing it',
      'rm -f .env; mv .env x; ln .env y; ln -s .env z; cat x y z; echo new > .env; ls -la',
      {
        before: 'echo $SECRET > ws/.env',
      },
    ),
    held(
      'protected files',
      'echo PWNED > .vscode/settings.json; rm -rf .vscode; mv .vscode v; echo PWNED >> .envrc; sed -i s/a/b/ .envrc; rm -f .envrc; ln -sf x .envrc',
      {
        before: 'mkdir ws/.vscode; echo keep > ws/.vscode/settings.json; echo keep > ws/.envrc',
        end: { holds: '.vscode/settings.json=keep\n' },
      },
    ),
    held('a protected file far down', 'mv a z; rm -rf a; echo x > a/b/.mcp.json', {
      before: 'mkdir -p ws/a/b; echo keep > ws/a/b/.mcp.json',
      end: { holds: 'a/b/.mcp.json=keep\n' },
    }),
    held('a new protected file is reported', 'mkdir -p a/.cursor; echo x > a/.cursor/mcp.json', {
      end: { event: 'protected-changed' },
    }),
    held('a renamed protected folder is reported', 'mkdir x; mv x .roo', {
      end: { event: 'protected-changed' },
    }),
    held('a start-up file of a shell is reported', 'echo x > .bash_login', {
      end: { event: 'protected-changed' },
    }),
    held('a link out is reported', 'mkdir d; ln -s ../../outside d/l', { end: { event: 'symlink-escape' } }),
    held('a link out through links inside is reported', 'ln -s .. a; ln -s a/outside b', {
      end: { event: 'symlink-escape' },
    }),
    held('a link to the device folder is reported', 'ln -s /dev/sda x', { end: { event: 'symlink-escape' } }),
    held('a second name is reported', 'echo x > f; ln f g', { end: { event: 'hard-link' } }),
    held('a pipe is reported', 'mkfifo p', { end: { event: 'special-file' } }),
    held('set-id bits are reported', 'cp /bin/true t; chmod u+s t', { end: { event: 'set-id' } }),
    held(
      'ordinary work is not reported',
      'mkdir -p src/a; echo x > src/a/f; ln -s a src/l; mv src/a src/b; ln -sfn b src/l; rm -r src/b; chmod 755 src; cp /bin/true t',
      { end: { noEvent: true } },
    ),
    held(
      'the daemon by /proc',
      'cat /proc/1/environ /proc/*/environ | tr "\\0" "\\n" | grep -E "^(HOSTNAME|npm_|VITEST|NODE_)" && echo THROUGH; ls /proc/1/root/$OUT /proc/1/cwd/../outside && echo THROUGH; kill -9 $PID && echo THROUGH',
    ),
    held(
      'settings of the kernel',
      'for f in kernel/core_pattern kernel/hostname vm/drop_caches; do echo x > /proc/sys/$f && echo THROUGH; done; echo b > /proc/sysrq-trigger && echo THROUGH; echo x > /sys/kernel/x && echo THROUGH',
    ),
    held('its own limits', 'ulimit -u unlimited; ulimit -v unlimited; ulimit -f unlimited && echo ok'),
    held(
      'mounts',
      'mount --bind / mnt && echo THROUGH; mount -o remount,rw / && echo THROUGH; umount -l .env && echo THROUGH; mount -t proc x /proc && echo THROUGH',
    ),
    held(
      'namespaces',
      'unshare -r true && echo THROUGH; unshare -m true && echo THROUGH; unshare -U true && echo THROUGH; nsenter -t 1 -m true && echo THROUGH',
    ),
    held(
      'privileges',
      'su -c true && echo THROUGH; sudo -n true && echo THROUGH; grep -E "^(CapEff|CapPrm|CapBnd)" /proc/self/status | grep -v 0000000000000000 && echo THROUGH; grep "NoNewPrivs:.1" /proc/self/status || echo THROUGH',
    ),
    held(
      'set-id programs of their own',
      'cp /bin/id i; chmod 6755 i; ./i | grep "euid" && echo THROUGH; true',
    ),
    held(
      'device nodes',
      'mknod d c 1 1 && cat d > /dev/null && echo THROUGH; cat /dev/mem /dev/kmsg /dev/sda && echo THROUGH; true',
    ),
    held('programs of the workspace named like its tools', 'true', {
      before:
        'for n in sh bwrap prlimit find git node; do printf "#!/bin/sh\\ntouch $OUT/PWNED\\n" > ws/$n; chmod +x ws/$n; done',
    }),
    held('a loader of their own', 'true', { before: 'echo "/tmp/x.so" > ws/ld.so.preload' }),
    held('options for the sandbox', '--dev-bind / / --', {}),
    held('a link at a protected name while mounts are made', 'true', {
      before: 'ln -s /oldroot$OUT ws/.claude; mkdir ws/a; ln -s ../../outside ws/a/.vscode',
    }),
    held('a link at a denied name while mounts are made', 'true', {
      before: 'ln -s /newroot/../$OUT ws/secrets; ln -s $OUT/new ws/.env',
    }),
    held('a folder at a denied name', 'ls .env; cat .env/x', {
      before: 'mkdir ws/.env; echo $SECRET > ws/.env/x',
    }),
    held('names with line ends at protected places', 'true', {
      before: 'mkdir "ws/a\n--bind"; mkdir "ws/a\n--bind/.vscode"; echo x > "ws/a\n--bind/.vscode/x"',
    }),
    held('many denied files', 'cat d/*.pem | grep -c SECRET; echo RAN', {
      before: 'mkdir ws/d; for i in $(seq 1 700); do echo $SECRET > ws/d/$i.pem; done',
      end: { shows: 'RAN' },
    }),
    {
      title: 'a working folder above',
      steps: [['run', 'pwd', '..']],
      end: { refused: 'E_OUTSIDE_WORKSPACE' },
    },
    {
      title: 'a working folder that is denied',
      before: 'mkdir ws/secrets',
      steps: [['run', 'pwd', 'secrets']],
      end: { refused: 'E_DENIED' },
    },
    {
      title: 'a file made by a command is read',
      steps: [
        ['run', 'echo made > f'],
        ['read', 'f'],
      ],
      end: { shows: 'made' },
    },
    {
      title: 'a link out made by a command is not followed',
      steps: [
        ['run', 'mkdir d; ln -s $OUT d/l'],
        ['read', 'd/l/secret.txt'],
      ],
      end: { refused: 'E_OUTSIDE_WORKSPACE' },
    },
    {
      title: 'a pipe made by a command holds nobody up',
      steps: [
        ['run', 'mkfifo p'],
        ['read', 'p'],
      ],
      end: { refused: 'E_NOT_REGULAR' },
    },
    {
      title: 'temporary names that a command has taken',
      steps: [
        ['run', 'for i in $(seq 1 30); do ln -s $OUT/secret.txt .switchyard-$i; done'],
        ['write', 'f', 'x'],
      ],
      end: { holds: 'f=x' },
    },
    {
      title: 'a folder that a command has closed',
      steps: [
        ['run', 'mkdir d; echo x > d/f; chmod 0 d'],
        ['list', '.', true],
      ],
      end: { shows: 'd' },
    },
    {
      title: 'names of a command that are no text',
      steps: [
        ['run', 'touch "$(printf "a\\377b")"; echo needle > "$(printf "c\\376")"'],
        ['list', '.', true],
        ['search', '.', 'needle'],
      ],
      end: {},
    },
  ],
  'network and limits': [
    python(
      'the loopback of the machine',
      "import socket\nfor p in range(1, 65536, 1777):\n  try: socket.create_connection(('127.0.0.1', p), .05); print('THROUGH')\n  except OSError: pass",
    ),
    python(
      'addresses elsewhere',
      "import socket\nfor a in ('1.1.1.1', '169.254.169.254', '10.0.0.1', '::1', 'fe80::1'):\n  try:\n    s = socket.socket(socket.AF_INET6 if ':' in a else socket.AF_INET); s.settimeout(.3); s.connect((a, 80)); print('THROUGH')\n  except OSError: pass",
    ),
    python(
      'a datagram',
      "import socket\ntry:\n  socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('8.8.8.8', 53)); print('THROUGH')\nexcept OSError: pass",
    ),
    python(
      'raw sockets and other families',
      "import socket\nfor f in (17, 40, 38, 2):\n  try: socket.socket(f, socket.SOCK_RAW, 255); print('THROUGH')\n  except OSError: pass",
    ),
    held('names', 'getent hosts example.com && echo THROUGH; true'),
    held(
      'sockets of the machine',
      'ls /run/docker.sock /var/run/docker.sock /run/dbus /tmp/.X11-unix /run/user && echo THROUGH; true',
    ),
    held(
      'its own loopback works, both kinds',
      "node -e \"const n=require('net');const s=n.createServer(c=>c.end('hello')).listen(0,'127.0.0.1',()=>n.connect(s.address().port,'127.0.0.1').on('data',d=>{console.log('LOOP-'+d);s.close()}))\"",
      { end: { shows: 'LOOP-hello' } },
    ),
    {
      title: 'more time than there is',
      steps: [['run', 'sleep 20', undefined, 300]],
      end: { ended: 'timed-out' },
    },
    {
      title: 'deaf to signals',
      steps: [['run', 'trap "" TERM HUP INT QUIT; while :; do :; done', undefined, 300]],
      end: { ended: 'timed-out' },
    },
    {
      title: 'a limit longer than a timer can count',
      steps: [['run', 'sleep 0.2; echo DONE', undefined, 1e12]],
      end: { shows: 'DONE' },
    },
    {
      title: 'a limit that is no number',
      steps: [['run', 'echo DONE', undefined, Number.NaN]],
      end: { shows: 'DONE' },
    },
    { title: 'a flood of output', steps: [['run', 'yes | head -c 30000000']], end: { ended: 'truncated' } },
    {
      title: 'output without line ends',
      steps: [['run', 'head -c 3000000 /dev/zero | tr "\\0" x']],
      end: { ended: 'truncated' },
    },
    {
      title: 'output that is no text',
      steps: [['run', 'head -c 1000 /dev/urandom; echo DONE']],
      end: { shows: 'DONE' },
    },
    held('a huge file', 'head -c 1300000000 /dev/zero > f; stat -c %s f; rm -f f', {
      end: { hides: '1300000000' },
    }),
    held('a full temporary folder', 'head -c 450000000 /dev/zero > /tmp/f; stat -c %s /tmp/f', {
      end: { hides: '450000000' },
    }),
    python('much memory', "try:\n  b = bytearray(7 * 1024 ** 3); print('THROUGH')\nexcept MemoryError: pass"),
    {
      title: 'nobody reads the daemon\u2019s input',
      steps: [['run', 'read x; echo "got:$x:"', undefined, 5000]],
      end: { shows: 'got::' },
    },
  ],
  'archives and scripts': [
    held('an archive that climbs', 'tar xPf e.tar; tar xf e.tar; ls', {
      before: 'cd ws; echo PWNED > x; tar cPf e.tar --transform "s,^x,../outside/x," x; rm x',
    }),
    held('an archive with an absolute name', 'tar xPf e.tar', {
      before: 'cd ws; echo PWNED > x; tar cPf e.tar --transform "s,^x,$OUT/x," x; rm x',
    }),
    held('an archive with a link to climb by', 'tar xf e.tar; ls -la', {
      before:
        'mkdir t; cd t; ln -s $OUT d; tar cf ../ws/e.tar d; rm d; mkdir d; echo PWNED > d/n; tar rf ../ws/e.tar d/n',
    }),
    held(
      'a zip that climbs',
      "python3 -c \"import zipfile; z = zipfile.ZipFile('e.zip'); [open(n, 'w').write('PWNED') for n in z.namelist()]\"; unzip -: -o e.zip",
      {
        before:
          "cd ws; python3 -c \"import zipfile; z = zipfile.ZipFile('e.zip', 'w'); z.writestr('../outside/z', 'PWNED')\"",
      },
    ),
    held('a patch that climbs', 'patch -p0 < p; git apply --unsafe-paths p; true', {
      before: 'printf -- "--- ../outside/n\\n+++ ../outside/n\\n@@ -0,0 +1 @@\\n+PWNED\\n" > ws/p',
    }),
    held('a makefile', 'make -k', {
      before: 'printf "all:\\n\\tcat $OUT/secret.txt\\n\\ttouch $OUT/PWNED\\n" > ws/Makefile',
    }),
    held('scripts of a package', 'npm run evil --offline; true', {
      before:
        'printf "{\\"scripts\\":{\\"evil\\":\\"touch $OUT/PWNED; cat $OUT/secret.txt\\"}}" > ws/package.json',
    }),
    {
      title: 'content is content',
      steps: [
        ['write', 'n', '$(touch x) `id` ../outside\r\n\0'],
        ['read', 'n'],
      ],
      end: { shows: '$(touch x) `id` ../outside\r\n\0' },
    },
  ],
};

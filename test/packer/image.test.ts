import { chmod, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'ava';
import { fileOf } from '../support/script-process.ts';
import { needs } from '../support/tools.ts';
import { temporaryDirectory } from './directory.ts';
import { attempt, attemptAsRoot, CHECKOUT } from './program.ts';
import { PACKER } from './template.ts';

const IMAGE = join(PACKER, 'image');
const SYSCTL = join(IMAGE, 'root/etc/sysctl.d/60-integratord.conf');
const NODE = join(CHECKOUT, 'node_modules/node/bin/node');

needs(test, 'shellcheck')('shellcheck has no findings in the scripts of packer/', async (t) => {
  const scripts: string[] = [];
  for (const entry of await readdir(PACKER, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && /^#!.*\b(ba)?sh\b/.test(await readFile(path, 'utf8'))) scripts.push(path);
  }
  t.true(scripts.length >= 7, scripts.join(' '));
  const { code, stdout, stderr } = await attempt('shellcheck', scripts);
  t.is(code, 0, stdout + stderr);
});

needs(
  test,
  'sysctl',
  'root or user namespaces',
)('the kernel accepts every setting, and each has its reason above it', async (t) => {
  // In a network namespace, so that this machine's settings do not change.
  const { code, stdout, stderr } = await attemptAsRoot('unshare', ['--net', 'sysctl', `--load=${SYSCTL}`]);
  t.is(code, 0, stderr);
  t.is(stderr, '');
  const text = await readFile(SYSCTL, 'utf8');
  const settings = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  t.deepEqual(stdout.trim().split('\n'), settings);
  for (const paragraph of text.split('\n\n')) t.regex(paragraph, /^#/);
});

test('the self-test passes for a daemon that is healthy and stops cleanly', async (t) => {
  const { NODE_COMPILE_CACHE: cache } = process.env;
  // The self-test starts it without any other variable.
  const program = `exec ${cache ? `env NODE_COMPILE_CACHE='${cache}'` : ''} ${NODE} ${fileOf(`${CHECKOUT}daemon/main.ts`)} "$@"`;
  const prefix = await installation(t, program);
  const { code, stdout, stderr } = await attempt(join(IMAGE, 'self-test.sh'), ['--prefix', prefix]);
  t.is(code, 0, stderr);
  t.regex(stdout, /was healthy at http:\/\/127\.0\.0\.1:\d+ and stopped cleanly/);
});

const SERVER = (status: number, atStop: string) => `exec ${NODE} -e '
  const server = require("node:http").createServer((_, response) => response.writeHead(${status}).end());
  process.on("SIGTERM", () => { ${atStop} });
  server.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ listening: "http://127.0.0.1:" + server.address().port })));'`;

for (const [what, program, reason] of [
  [
    'exits at once',
    'echo "AWS_REGION is missing" >&2; exit 78',
    /exited before it was listening\n.*\nAWS_REGION is missing/,
  ],
  ['is not healthy', SERVER(503, 'process.exit(0)'), /health-check responded with 503/],
  ['does not exit with 0', SERVER(200, 'process.exit(3)'), /exited with 3 after SIGTERM/],
] as const) {
  test(`the self-test fails for a daemon that ${what}`, async (t) => {
    const { code, stderr } = await attempt(join(IMAGE, 'self-test.sh'), ['--prefix', await installation(t, program)]);
    t.is(code, 1);
    t.regex(stderr, reason);
  });
}

test('the self-test fails without an installation', async (t) => {
  const { code, stderr } = await attempt(join(IMAGE, 'self-test.sh'), ['--prefix', '/nonexistent']);
  t.is(code, 1);
  t.regex(stderr, /\/nonexistent\/bin\/integratord does not exist/);
});

test('the self-test refuses unknown options', async (t) => {
  const { code, stderr } = await attempt(join(IMAGE, 'self-test.sh'), ['--fast']);
  t.is(code, 2);
  t.regex(stderr, /^usage/);
});

for (const [what, group] of [
  ['none', []],
  ['an empty one', ['']],
  ['one with a quote', ['a"b']],
  ['one with a space', ['a b']],
  ['one of two lines', ['a\nb']],
  ['one that is too long', ['a'.repeat(513)]],
  ['two', ['a', 'b']],
] as const) {
  test(`integratord-log-group refuses ${what} as a name`, async (t) => {
    const { code, stderr } = await attempt(join(IMAGE, 'root/usr/local/sbin/integratord-log-group'), group);
    t.is(code, 2);
    t.regex(stderr, /^integratord-log-group: /);
  });
}

for (const [what, args] of [
  ['no URL', []],
  ['a URL without a scheme', ['proxy.test:3128']],
  ['credentials', ['http://user:secret@proxy.test:3128']],
  ['a quote', ['http://proxy.test:3128"']],
  ['a quote in NO_PROXY', ['http://proxy.test:3128', 'a"b']],
] as const) {
  test(`integratord-proxy refuses ${what}`, async (t) => {
    const { code, stderr } = await attempt(join(IMAGE, 'root/usr/local/sbin/integratord-proxy'), args);
    t.is(code, 2);
    t.regex(stderr, /^integratord-proxy: /);
    t.notRegex(stderr, /secret/);
  });
}

needs(test, 'root or user namespaces')(
  'integratord-proxy configures both agents, past the metadata service',
  async (t) => {
    const directory = await temporaryDirectory(t);
    await mkdir(join(directory, 'bin'));
    await writeFile(join(directory, 'bin/systemctl'), `#!/bin/sh\necho "$*" >>'${directory}/calls'\n`);
    await chmod(join(directory, 'bin/systemctl'), 0o755);
    const { code, stderr } = await attemptAsRoot('env', [
      `PATH=${directory}/bin:/usr/bin:/bin`,
      `INTEGRATORD_CLOUDWATCH_AGENT=${directory}/agent`,
      `INTEGRATORD_SSM_DROP_INS=${directory}/ssm`,
      join(IMAGE, 'root/usr/local/sbin/integratord-proxy'),
      'http://proxy.test:3128',
      '.a.test,10.0.0.0/8',
    ]);
    t.is(code, 0, stderr);
    const direct = '169.254.169.254,fd00:ec2::254,.a.test,10.0.0.0/8';
    const toml = await readFile(join(directory, 'agent/etc/common-config.toml'), 'utf8');
    t.true(toml.includes('https_proxy = "http://proxy.test:3128"') && toml.includes(`no_proxy = "${direct}"`), toml);
    const dropIn = await readFile(join(directory, 'ssm/60-proxy.conf'), 'utf8');
    t.true(dropIn.includes('"https_proxy=http://proxy.test:3128"') && dropIn.includes(`"no_proxy=${direct}"`), dropIn);
    t.regex(await readFile(join(directory, 'calls'), 'utf8'), /daemon-reload\n.*restart.*amazon-ssm-agent/);
  },
);

/** A fake installation with this program as its daemon. */
async function installation(t: Parameters<typeof temporaryDirectory>[0], program: string): Promise<string> {
  const prefix = await temporaryDirectory(t);
  await mkdir(join(prefix, 'bin'));
  await symlink(NODE, join(prefix, 'bin/node'));
  await writeFile(join(prefix, 'bin/integratord'), `#!/bin/sh\n${program}\n`);
  await chmod(join(prefix, 'bin/integratord'), 0o755);
  return prefix;
}

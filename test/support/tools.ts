import { spawnSync } from 'node:child_process';
import { accessSync, appendFileSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { ExecutionContext } from 'ava';

/** Something that tests need and `npm ci` does not install: a program of a package, or a privilege. */
interface Tool {
  readonly from: 'debian' | 'pypi' | 'rights';
  readonly package: string;
}

const debian = (name: string): Tool => ({ from: 'debian', package: name });

export const TOOLS = {
  chromium: debian('chromium'),
  'cfn-lint': { from: 'pypi', package: 'cfn-lint' },
  git: debian('git'),
  groff: debian('groff'),
  openssl: debian('openssl'),
  packer: debian('packer'),
  promtool: debian('prometheus'),
  python3: debian('python3-minimal'),
  ruby: debian('ruby'),
  shellcheck: debian('shellcheck'),
  sysctl: debian('procps'),
  systemctl: debian('systemd'),
  tmux: debian('tmux'),
  'root or user namespaces': { from: 'rights', package: 'as root, or where a user may make user namespaces' },
  // For npm run test:systemd.
  debootstrap: debian('debootstrap'),
  nsenter: debian('util-linux'),
  setpriv: debian('util-linux'),
  'systemd-nspawn': debian('systemd-container'),
  'systemd-sysusers': debian('systemd'),
} as const satisfies Readonly<Record<string, Tool>>;

export type ToolName = keyof typeof TOOLS;

/** A test that did not run, and the missing tools. */
export interface SkippedTest {
  readonly tools: readonly ToolName[];
  readonly file: string;
  readonly title: string;
}

/** The part of ava's `test` that is used here. */
interface Declare {
  // biome-ignore lint/suspicious/noExplicitAny: a test's implementation may take any context and arguments.
  (title: string, implementation: (t: ExecutionContext<any>, ...args: any[]) => unknown, ...args: any[]): void;
  readonly serial?: Declare;
  readonly skip: (title: string, ...rest: never[]) => void;
}

const INSTALL = {
  debian: 'apt-get install --no-install-recommends',
  pypi: 'pip install',
  rights: 'npm test,',
} as const;
const CHROMIUM_PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Commands that install these tools, one per source. */
export function installCommands(tools: readonly ToolName[]): string[] {
  return (['debian', 'pypi', 'rights'] as const).flatMap((source) => {
    const packages = packagesOf(tools, source);
    return packages.length > 0 ? [`${INSTALL[source]} ${packages.join(' ')}`] : [];
  });
}

/** The packages of those tools that come from `source`. */
export function packagesOf(tools: readonly ToolName[], source: Tool['from']): string[] {
  const packages = tools.filter((tool) => TOOLS[tool].from === source).map((tool) => TOOLS[tool].package);
  return [...new Set(packages)].sort();
}

/** This machine's Chromium, or the one in CHROMIUM_PATH. */
export function chromiumPath(): string | undefined {
  const named = process.env['CHROMIUM_PATH'];
  return (named ? [named] : CHROMIUM_PATHS).find((path) => existsSync(path));
}

export function isInstalled(name: ToolName, path = process.env['PATH'] ?? ''): boolean {
  if (name === 'chromium') return chromiumPath() !== undefined;
  if (name === 'root or user namespaces') return canBeRoot();
  if (!path.split(delimiter).some((directory) => isExecutable(join(directory, name)))) return false;
  // Python version managers put executables on PATH even for programs that are not installed.
  return TOOLS[name].from !== 'pypi' || spawnSync(name, ['--version']).status === 0;
}

function canBeRoot(): boolean {
  return process.getuid?.() === 0 || spawnSync('unshare', ['--map-root-user', 'true']).status === 0;
}

/**
 * `needs(test, 'openssl')('title', …)` declares a test that is skipped if the tool is missing; `npm test` lists it at the
 * end. With CI set, a missing Debian package fails the test instead, because .ci/run installs them all.
 */
export function needs<Test extends Declare>(test: Test, ...tools: readonly ToolName[]): Test {
  const missing = tools.filter((tool) => !isInstalled(tool));
  return missing.length === 0 ? test : withoutTools(test, missing);
}

function withoutTools<Test extends Declare>(test: Test, tools: readonly ToolName[]): Test {
  const fails = process.env['CI'] && tools.some((tool) => TOOLS[tool].from === 'debian');
  return new Proxy(test, {
    apply(_, __, [title, ...rest]: [string, ...never[]]) {
      if (fails) {
        test(title, (t) => t.fail(`${tools.join(', ')} not installed: ${installCommands(tools).join('; ')}`));
      } else {
        note({ tools, title, file: callingTestFile() });
        test.skip(title, ...rest);
      }
    },
    get: (target, name) =>
      name === 'serial' ? withoutTools(target.serial as Test, tools) : Reflect.get(target, name, target),
  });
}

/** Reports it to test/run.ts, if that started ava. */
function note(skipped: SkippedTest): void {
  const file = process.env['SKIPPED_TESTS'];
  if (file) appendFileSync(file, `${JSON.stringify(skipped)}\n`);
}

/** The file of tests that is calling, as a path. `test.serial` does not know it. */
function callingTestFile(): string {
  const files = (new Error().stack ?? '').matchAll(/(?:file:\/\/)?(\/\S+\.ts):\d/g).map(([, file]) => file);
  return files.find((file) => file !== import.meta.filename) ?? '';
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { CommanderError, Command as CtlCommand } from 'commander';
import type { Io } from '../../daemon/ctl/io.ts';
import { createProgram } from '../../daemon/ctl/program.ts';
import { systemClock } from '../../daemon/runtime/clock.ts';
import { CTL_COMMANDS, FILES, NODE_FILES, NPM_SCRIPTS, NPX, PROGRAMS, type Run } from './runs.ts';
import type { Command } from './shell-commands.ts';

export const SCRIPTS = (JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> })
  .scripts;
const FILES_OF_SCRIPTS = new Set(Object.values(SCRIPTS).map((script) => /^node (\S+)/.exec(script)?.[1]));
/** A value that the reader has to fill in. */
const PLACEHOLDER = /[…$]|^[A-Z_.]+(?:\.ts)?$/;

/** Entries of runs.ts that commands used so far, for finding those that no document needs. */
export const used = new Set<string>();

/** What is wrong with a command; undefined if nothing is. */
export function faultOf([program = '', ...args]: Command): string | undefined {
  used.add(program);
  if (program === 'npm') return npmFault(args);
  if (program === 'npx') return npxFault(args);
  if (program === 'node' || program.endsWith('/bin/node')) return nodeFault(args);
  if (program === 'integratorctl') return ctlFault(args);
  if (program.includes('/')) return fileFault(program);
  return program in PROGRAMS ? undefined : `${program} is not in test/commands/runs.ts`;
}

function fileFault(file: string): string | undefined {
  if (!existsSync(file)) return `there is no ${file}`;
  return file in FILES ? undefined : `${file} is not in test/commands/runs.ts`;
}

function npmFault(args: readonly string[]): string | undefined {
  const [command, ...rest] = args.filter((arg) => arg !== '-s');
  if (command === 'ci') return undefined;
  const [name = '', ...given] = command === 'run' ? rest : [command ?? ''];
  if (command !== 'run' && command !== 'test') {
    used.add(`npm ${command}`);
    return `npm ${command}` in PROGRAMS ? undefined : `npm ${command} is not in test/commands/runs.ts`;
  }
  used.add(`npm run ${name}`);
  const script = SCRIPTS[name];
  if (script === undefined) return `package.json has no script ${name}`;
  if (!(name in NPM_SCRIPTS)) return `npm run ${name} is not in test/commands/runs.ts`;
  if (given.length > 0 && given[0] !== '--') return `npm would take ${given[0]} for itself: write -- before it`;
  if (name === 'integratorctl') return ctlFault(given.slice(1));
  const file = /^node (\S+)/.exec(script)?.[1];
  if (file === undefined) return undefined;
  return optionFault(file, given.slice(1)) ?? untriedFault(NPM_SCRIPTS[name] as Run, given.slice(1));
}

/** Whether our own script has the options: they stand where it reads its command line. */
function optionFault(file: string, args: readonly string[]): string | undefined {
  const sources = globSync(join(dirname(file), '*.ts')).map((path) => readFileSync(path, 'utf8'));
  const missing = args
    .filter((arg) => arg.startsWith('--'))
    .map((arg) => arg.slice(2))
    .find((name) => !sources.some((source) => source.includes(`'--${name}`) || definesOption(source, name)));
  return missing === undefined ? undefined : `${file} has no option --${missing}`;
}

/** Whether a test of the command's room gives each option. */
export function untriedFault(run: Run, args: readonly string[]): string | undefined {
  if (!('by' in run)) return undefined;
  const tests = [run.by, ...globSync(join(dirname(run.by), '*.test.ts'))].map((path) => readFileSync(path, 'utf8'));
  const untried = args
    .filter((arg) => /^--?[a-z]/.test(arg))
    .map((arg) => arg.split('=')[0] as string)
    .find((option) => !(option in (run.untried ?? {})) && !tests.some((text) => text.includes(`'${option}`)));
  return untried === undefined ? undefined : `no test gives ${untried}: test it, or say in runs.ts why not`;
}

function definesOption(source: string, name: string): boolean {
  return new RegExp(`(?:\\b|')${name}'?: \\{ type:`).test(source);
}

function npxFault([program = '', path = '']: readonly string[]): string | undefined {
  used.add(`npx ${program}`);
  if (!(program in NPX)) return `npx ${program} is unknown here`;
  if (program === 'cdk') return undefined;
  return PLACEHOLDER.test(path) || globSync(path).length > 0 ? undefined : `there is no ${path}`;
}

function nodeFault([first = '', ...args]: readonly string[]): string | undefined {
  // A program in the argument.
  if (first.startsWith('-')) return undefined;
  used.add(first);
  if (!existsSync(first)) return `there is no ${first}`;
  const run = NODE_FILES[first];
  if (run) return optionFault(first, args) ?? untriedFault(run, args);
  if (FILES_OF_SCRIPTS.has(first)) return optionFault(first, args);
  return `${first} is not in test/commands/runs.ts`;
}

/** Whether integratorctl's own parser takes the arguments, and a test runs the command; nothing is run here. */
function ctlFault(args: readonly string[]): string | undefined {
  const fault = parsingFault(args);
  if (fault !== undefined || args.every((arg) => PLACEHOLDER.test(arg))) return fault;
  const first = Math.max(1, args.slice(0, 2).filter((arg) => /^[a-z]/.test(arg)).length);
  const [name = ''] = [args.slice(0, first).join(' '), args[0] ?? ''].filter((each) => each in CTL_COMMANDS);
  used.add(`integratorctl ${name}`);
  const run = CTL_COMMANDS[name];
  return run ? untriedFault(run, args) : `integratorctl ${args.join(' ')} is not in test/commands/runs.ts`;
}

function parsingFault(args: readonly string[]): string | undefined {
  const program = createProgram(io());
  doesNothing(program);
  try {
    program.parse([...args], { from: 'user' });
    return undefined;
  } catch (error) {
    const { code, message } = error as CommanderError;
    return isOnlyIncomplete(code, args) ? undefined : message;
  }
}

function doesNothing(command: CtlCommand): void {
  if (command.commands.length === 0) command.action(() => undefined);
  for (const each of command.commands) doesNothing(each);
}

/** Prose names commands without their arguments, or with words that the reader has to replace. */
function isOnlyIncomplete(code: string, args: readonly string[]): boolean {
  if (/^commander\.(help|helpDisplayed|version|missingArgument)$/.test(code)) return true;
  return args.some((arg) => PLACEHOLDER.test(arg)) && /^commander\.(invalidArgument|unknownCommand)$/.test(code);
}

function io(): Io {
  const silent = () => new PassThrough() as unknown as NodeJS.WriteStream;
  const stop = new AbortController().signal;
  return { env: {}, stdin: process.stdin, stdout: silent(), stderr: silent(), clock: systemClock, etc: '/etc', stop };
}

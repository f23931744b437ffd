import { Command } from 'commander';
import { CONTROL_SOCKET_PATH } from '../contract/control-api.ts';
import { VERSION } from '../contract/version.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addCordonCommands } from './commands/cordon.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addDrainCommand } from './commands/drain.ts';
import { addLogLevelCommand } from './commands/log-level.ts';
import { addPageCommand } from './commands/page.ts';
import { addListCommand } from './commands/session-list.ts';
import { addShowCommand } from './commands/session-show.ts';
import { addStopCommand } from './commands/session-stop.ts';
import { addWatchCommand } from './commands/session-watch.ts';
import { addConfigCommand } from './commands/settings.ts';
import { addStatusCommand } from './commands/status.ts';
import { addVersionCommand } from './commands/version.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { DEFAULT_COLUMNS, type Io } from './io.ts';
import { printable } from './output/printable.ts';

/** integratorctl's commands: what parses the command line, --help, the completions and the man page are made from it. */
export function createProgram(io: Io): Command {
  const program = new Command('integratorctl')
    .configureHelp({ showGlobalOptions: true })
    .description('Looks into the integratord of this machine, and takes it out of service without hurting a call.')
    .version(VERSION)
    .option('--json', 'data as JSON on standard output, everything else on standard error')
    .option('--no-header', 'no line of column titles')
    .option('--socket <path>', `the control socket (default: $CONTROL_SOCKET, else ${CONTROL_SOCKET_PATH})`)
    .addHelpText('after', exitCodeHelp());
  const sessions = program
    .command('sessions')
    .description('list (when nothing else is said), show, watch and stop sessions');
  addListCommand(sessions, io);
  addShowCommand(sessions, io);
  addWatchCommand(sessions, io);
  addStopCommand(sessions, io);
  addStatusCommand(program, io);
  addDrainCommand(program, io);
  addCordonCommands(program, io);
  addDoctorCommand(program, io);
  addConfigCommand(program, io);
  addLogLevelCommand(program, io);
  addPageCommand(program, io);
  addVersionCommand(program, io);
  addCompletionCommand(program, io);
  settle(program, io);
  return program;
}

/** The command's full name, as it is typed. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** Makes the command and those below it write to the io, throw instead of exiting, and complain in one line. */
function settle(command: Command, io: Io): void {
  const { stdout, stderr } = io;
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    getOutHelpWidth: () => stdout.columns ?? DEFAULT_COLUMNS,
    getErrHelpWidth: () => stderr.columns ?? DEFAULT_COLUMNS,
    outputError: (text, write) => write(`integratorctl: ${complaint(text)}; see: ${pathOf(command)} --help\n`),
  });
  for (const each of command.commands) settle(each, io);
}

/** What commander says, without its prefix and in one line. */
function complaint(text: string): string {
  const oneLine = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ');
  return printable(oneLine.replace(/\.$/, ''));
}

function exitCodeHelp(): string {
  const lines = EXIT_MEANINGS.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
  return ['', 'Exit codes:', ...lines].join('\n');
}

import { Command } from 'commander';
import { CONTROL_SOCKET_PATH } from '../contract/control-api.ts';
import { VERSION } from '../contract/version.ts';
import { addCompletionCommand } from './commands/completion.ts';
import { addCordonCommands } from './commands/cordon.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addDrainCommand } from './commands/drain.ts';
import { addLogLevelCommand } from './commands/log-level.ts';
import { addLogsCommand } from './commands/logs.ts';
import { addPageCommand } from './commands/page.ts';
import { addResultsCommands } from './commands/results.ts';
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

/** integratorctl's commands. Parsing, --help, the completion script and the man page all derive from them. */
export function createProgram(io: Io): Command {
  const program = new Command('integratorctl')
    .configureHelp({ showGlobalOptions: true })
    .description('Inspect the integratord of this machine, and take it out of service without interrupting calls.')
    .version(VERSION)
    .option('--json', 'print data as JSON to standard output, everything else to standard error')
    .option('--no-header', 'omit column titles')
    .option('--socket <path>', `control socket (default: $CONTROL_SOCKET, else ${CONTROL_SOCKET_PATH})`)
    .addHelpText('after', exitCodeHelp());
  const sessions = program.command('sessions').description('list (default), show, watch or stop sessions');
  addListCommand(sessions, io);
  addShowCommand(sessions, io);
  addWatchCommand(sessions, io);
  addStopCommand(sessions, io);
  addLogsCommand(program, io);
  addStatusCommand(program, io);
  addDrainCommand(program, io);
  addCordonCommands(program, io);
  addResultsCommands(program, io);
  addDoctorCommand(program, io);
  addConfigCommand(program, io);
  addLogLevelCommand(program, io);
  addPageCommand(program, io);
  addVersionCommand(program, io);
  addCompletionCommand(program, io);
  configure(program, io);
  return program;
}

/** The command's full name, as typed. */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}

/** Makes the command and its subcommands write to `io`, throw instead of exiting, and report errors in one line. */
function configure(command: Command, io: Io): void {
  const { stdout, stderr } = io;
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => stdout.write(text),
    writeErr: (text) => stderr.write(text),
    getOutHelpWidth: () => stdout.columns ?? DEFAULT_COLUMNS,
    getErrHelpWidth: () => stderr.columns ?? DEFAULT_COLUMNS,
    outputError: (text, write) => write(`integratorctl: ${oneLine(text)}; see: ${pathOf(command)} --help\n`),
  });
  for (const each of command.commands) configure(each, io);
}

/** commander's message in one line, without its prefix and full stop. */
function oneLine(text: string): string {
  const line = text
    .trim()
    .replace(/^error: /, '')
    .replaceAll(/\s*\n\s*/g, ' ');
  return printable(line.replace(/\.$/, ''));
}

function exitCodeHelp(): string {
  const lines = EXIT_MEANINGS.map(({ code, meaning }) => `  ${String(code).padStart(3)}  ${meaning}`);
  return ['', 'Exit codes:', ...lines].join('\n');
}

import type { Option } from 'commander';
import { CONTROL_SOCKET_PATH } from '../../contract/control-api.ts';
import { EXIT_MEANINGS } from '../exit-codes.ts';
import { type CommandNode, flattened, ownOptions } from './command-tree.ts';
import { bold, definition, example, heading, pageHead, paragraph, roffText, subheading } from './roff.ts';

/** integratorctl(1), generated from the commands. */
export function integratorctlPage(tree: CommandNode, version: string): string {
  const commands = flattened(tree).filter(({ words, children }) => words.length > 0 && children.length === 0);
  const summary = 'inspect a running integratord, and take it out of service';
  const lines = [
    ...pageHead({ name: 'integratorctl', section: 1, summary, version }),
    ...heading('SYNOPSIS'),
    `${bold('integratorctl')} [options] ${bold('command')} [arguments]`,
    ...heading('DESCRIPTION'),
    roffText(tree.description),
    ...paragraph(`Options can precede or follow the command. ${bold('sessions')} alone lists the sessions.`),
    ...paragraph('Ids of sessions and contacts can be abbreviated to a unique prefix.'),
    ...heading('COMMANDS'),
    ...commands.flatMap(commandLines),
    ...heading('OPTIONS'),
    ...tree.options.flatMap(optionLines),
    ...heading('EXIT STATUS'),
    ...EXIT_MEANINGS.flatMap(({ code, meaning }) => definition(bold(String(code)), sentence(meaning))),
    ...heading('ENVIRONMENT'),
    ...definition(bold('CONTROL_SOCKET'), roffText('The control socket; --socket takes precedence.')),
    ...definition(bold('NO_COLOR'), 'Disables colors. Output to anything but a terminal never has colors.'),
    ...heading('FILES'),
    ...definition(bold(CONTROL_SOCKET_PATH), 'The control socket, accessible to root and the group integrator.'),
    ...definition(
      bold('/etc/integratord'),
      roffText(
        'Settings and credentials, which doctor and config read while the daemon does not run. Only root can read the ' +
          'credentials.',
      ),
    ),
    ...definition(
      bold('/var/log/journal'),
      roffText('The journal, which logs reads; accessible to root and the group systemd-journal.'),
    ),
    ...heading('EXAMPLES'),
    'Take the instance out of service with an hour for running calls, and come back to the drain later:',
    ...example(["integratorctl drain --deadline 1h --reason 'kernel update' --detach", 'integratorctl drain']),
    ...paragraph('List the sessions that lost audio:'),
    ...example(["integratorctl sessions --json | jq '.sessions[] | select(.gapMs > 0)'"]),
    ...heading('SEE ALSO'),
    `${bold('integratord')}(8), ${bold('systemctl')}(1), ${bold('journalctl')}(1)`,
  ];
  return `${lines.join('\n')}\n`;
}

function commandLines(node: CommandNode): string[] {
  const options = ownOptions(node).filter(({ long }) => long !== '--help');
  const usage = node.usage.replace('[options] ', options.length > 0 ? '[options] ' : '').replace(/ ?\[options\]$/, '');
  const name = ['integratorctl', ...node.words].join(' ');
  return [
    ...subheading([name, options.length > 0 && usage === '' ? '[options]' : usage].filter(Boolean).join(' ')),
    sentence(node.description),
    ...node.arguments.flatMap((argument) => {
      const choices = argument.argChoices ? `: ${argument.argChoices.join(', ')}` : '';
      return definition(bold(argument.name()), sentence(`${argument.description}${choices}`));
    }),
    ...options.flatMap(optionLines),
  ];
}

function optionLines({ flags, description, argChoices, defaultValue, negate }: Option): string[] {
  const choices = argChoices ? ` (${argChoices.join(', ')})` : '';
  const byDefault = defaultValue === undefined || negate ? '' : ` (default: ${defaultValue})`;
  return definition(bold(flags), sentence(`${description}${choices}${byDefault}`));
}

/** A phrase of --help as a sentence. */
function sentence(text: string): string {
  return roffText(`${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
}

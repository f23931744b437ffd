import { CONTROL_SOCKET_PATH } from '../../contract/control-api.ts';
import { SETTING_NAMES, SETTINGS } from '../../contract/settings.ts';
import { bold, definition, heading, pageHead, paragraph, roffOfMarkdown, roffText } from './roff.ts';

/** integratord(8), with the settings. */
export function integratordPage(version: string): string {
  const summary = 'transcribe Amazon Connect calls with Deepgram';
  const lines = [
    ...pageHead({ name: 'integratord', section: 8, summary, version }),
    ...heading('SYNOPSIS'),
    `${bold('integratord')} [${bold('--check')}]`,
    ...heading('DESCRIPTION'),
    'Accepts POST /start\\-session from the trigger Lambda, reads the audio of the call from Kinesis Video Streams',
    'and sends it to Deepgram until the call ends. It is run by systemd. With --check it starts nothing, and',
    'prints as JSON whether its settings are valid, its port is free, and Deepgram and AWS can be reached.',
    ...paragraph(`${bold('integratorctl')}(1) inspects it and takes it out of service.`),
    ...heading('ENVIRONMENT'),
    ...SETTING_NAMES.flatMap((name) => {
      const { byDefault, description } = SETTINGS[name];
      const sentence = `${description.charAt(0).toUpperCase()}${description.slice(1)}.`;
      return definition(bold(name), roffOfMarkdown(`${sentence} Default: ${byDefault}.`));
    }),
    ...heading('SIGNALS'),
    ...definition(bold('SIGTERM'), 'Drain: refuse new sessions, wait for the running ones to end, then exit.'),
    ...definition(bold('SIGINT'), 'End the running sessions cleanly now, then exit.'),
    ...heading('EXIT STATUS'),
    ...definition(bold('0'), 'Drained, or stopped cleanly.'),
    ...definition(bold('1'), 'Could not start.'),
    ...definition(bold('78'), roffText('A setting is invalid or missing (EX_CONFIG); standard error says which.')),
    ...heading('FILES'),
    ...definition(bold(CONTROL_SOCKET_PATH), `The control socket that ${bold('integratorctl')}(1) uses.`),
    ...heading('SEE ALSO'),
    `${bold('integratorctl')}(1), ${bold('systemd')}(1), ${bold('journalctl')}(1)`,
  ];
  return `${lines.join('\n')}\n`;
}

import { SETTING_NAMES, SETTINGS } from '../../contract/settings.ts';

const BEGIN = '<!-- settings: `npm run docs` writes this table from daemon/contract/settings.ts -->';
const END = '<!-- end of settings -->';

/** The Markdown document with the table of settings between its two markers. Throws if a marker is missing. */
export function withSettingsTable(markdown: string): string {
  const begin = markdown.indexOf(BEGIN);
  const end = markdown.indexOf(END, begin);
  if (begin < 0 || end < 0) throw new Error(`The document needs the lines ${BEGIN} and ${END} for the settings`);
  const rows = SETTING_NAMES.map((name) => {
    const { byDefault, description } = SETTINGS[name];
    return `| \`${name}\` | ${byDefault} | ${description} |`;
  });
  const table = ['| variable | default | |', '|---|---|---|', ...rows].join('\n');
  return `${markdown.slice(0, begin + BEGIN.length)}\n\n${table}\n\n${markdown.slice(end)}`;
}

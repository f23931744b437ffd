import { readFileSync } from 'node:fs';
import test from 'ava';
import { maskedSettings, readConfig } from '../../daemon/config.ts';
import { CONTROL_SOCKET_PATH } from '../../daemon/contract/control-api.ts';
import { SETTING_NAMES, SETTINGS } from '../../daemon/contract/settings.ts';
import { withSettingsTable } from '../../daemon/ctl/docs/settings-table.ts';

const REQUIRED = { DEEPGRAM_API_KEY: 'key', AWS_REGION: 'us-east-1' };
/** A default that is a value, in Markdown. */
const VALUE = /^`(.+)`$/;

test('daemon/SETTINGS.md has the table of settings as `npm run docs` writes it', (t) => {
  const readme = readFileSync(new URL('../../daemon/SETTINGS.md', import.meta.url), 'utf8');
  t.is(withSettingsTable(readme), readme);
});

test('a document without the markers is refused', (t) => {
  t.throws(() => withSettingsTable('# A document\n'), { message: /needs the lines <!-- settings/ });
});

test('a setting that is set to its documented default changes nothing', (t) => {
  const defaults = readConfig(REQUIRED);
  const tried = SETTING_NAMES.filter((name) => {
    const [, value] = VALUE.exec(SETTINGS[name].byDefault) ?? [];
    // Its default depends on the machine: config.ts leaves it open.
    if (value === undefined || name === 'CONTROL_SOCKET') return false;
    t.deepEqual(readConfig({ ...REQUIRED, [name]: value }), defaults, name);
    return true;
  });
  t.true(tried.length > 10);
  t.is(SETTINGS.CONTROL_SOCKET.byDefault, `\`${CONTROL_SOCKET_PATH}\``);
});

test('a setting is required when its default says so, and only then', (t) => {
  for (const [name, { byDefault }] of Object.entries(SETTINGS)) {
    const { [name]: _, ...others } = REQUIRED as Record<string, string>;
    if (byDefault === 'required') t.throws(() => readConfig(others), { message: new RegExp(`^${name} is missing`) });
    else t.notThrows(() => readConfig(others));
  }
});

test('`integratorctl config` has every setting in the order of the documentation, set or not', (t) => {
  const shown = maskedSettings(readConfig(REQUIRED));
  t.deepEqual(
    Object.keys(shown),
    SETTING_NAMES.filter((name) => name !== 'APP_REGION'),
  );
  t.like(shown, { STATE_DIR: 'not set', TRIGGER_SECRET: 'not set', DEEPGRAM_API_KEY: 'set', PORT: 8080 });
});

test('descriptions are one line of a table, without a full stop', (t) => {
  for (const [name, { byDefault, description }] of Object.entries(SETTINGS)) {
    t.notRegex(`${byDefault}${description}`, /[|\n]/, name);
    t.regex(description, /[^.]$/, name);
  }
});

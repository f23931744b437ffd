import { existsSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
/** It talks to 127.0.0.1 and to nobody else: no look-ups, no updates, no services of its maker. */
const ARGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** Starts the Chromium of this machine; CHROMIUM_PATH names another one. Throws when there is none. */
export function launchChromium(): Promise<Browser> {
  const named = process.env['CHROMIUM_PATH'];
  const paths = named ? [named] : PATHS;
  const path = paths.find((one) => existsSync(one));
  if (!path) {
    throw new Error(
      `There is no Chromium at ${paths.join(', ')}: install the Debian package with "apt-get install chromium", ` +
        'or set CHROMIUM_PATH.',
    );
  }
  return chromium.launch({ executablePath: path, args: ARGS });
}

import { join } from 'node:path';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';
import { chromiumPath, installCommands } from '../support/tools.ts';

/** No traffic except to 127.0.0.1: no lookups, no updates, no vendor services. */
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

/** Takes a picture for people to look at, if PICTURES names a directory: drawing takes longer than a test. */
export async function picture(of: Page | Locator, name: string, options: { fullPage?: boolean } = {}): Promise<void> {
  const directory = process.env['PICTURES'];
  if (directory) await of.screenshot({ path: join(directory, `${name}.png`), ...options });
}

/** Starts this machine's Chromium. Throws if there is none. */
export function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (!executablePath) throw new Error(`no Chromium found: ${installCommands(['chromium'])}, or set CHROMIUM_PATH`);
  return chromium.launch({ executablePath, args: ARGS });
}

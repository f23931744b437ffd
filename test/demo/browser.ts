import { type Browser, chromium } from 'playwright-core';
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

/** Starts this machine's Chromium. Throws if there is none. */
export function launchChromium(): Promise<Browser> {
  const executablePath = chromiumPath();
  if (!executablePath) throw new Error(`no Chromium found: ${installCommands(['chromium'])}, or set CHROMIUM_PATH`);
  return chromium.launch({ executablePath, args: ARGS });
}

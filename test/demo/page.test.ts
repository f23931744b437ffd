import anyTest, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { visit } from '../control/browsing.ts';
import { loadSampleCall } from '../fixtures/sample-call/read.ts';
import type { Speaker } from '../fixtures/sample-call/script.ts';
import { needs } from '../support/tools.ts';
import { launchChromium, picture } from './browser.ts';
import { RunningDemo } from './running-demo.ts';

/** The call lasts 4 s. */
const SPEED = ['--speed', '10'];
const TIMEOUT_MS = 180_000;
const DESKTOP = { width: 1280, height: 900 };
const PHONE = { width: 390, height: 844 };
const PHRASES = loadSampleCall().phrases;

const test = needs(anyTest, 'chromium');

let browser: Browser;
test.before(async () => {
  browser = await launchChromium();
});
test.after.always(() => browser?.close());

/** The speaker's words on the page. */
function shown(page: Page, speaker: Speaker): Promise<string[]> {
  return page.locator(`.phrases [data-speaker=${speaker}] .text`).allTextContents();
}

function inScript(speaker: Speaker): string[] {
  return PHRASES.filter((phrase) => phrase.speaker === speaker).map(({ text }) => text);
}

/** Outermost left and right edges of the speaker's phrases. */
async function columnOf(page: Page, speaker: Speaker): Promise<{ left: number; right: number }> {
  const phrases = await page.locator(`.phrases [data-speaker=${speaker}]`).all();
  const boxes = await Promise.all(phrases.map((phrase) => phrase.boundingBox()));
  const lefts = boxes.map((box) => box?.x ?? Number.NaN);
  const rights = boxes.map((box) => (box?.x ?? Number.NaN) + (box?.width ?? 0));
  return { left: Math.min(...lefts), right: Math.max(...rights) };
}

const open = (url: string, viewport: typeof DESKTOP, colorScheme: 'light' | 'dark' = 'light') =>
  visit(browser, url, { viewport, colorScheme });

/** Opens the page on a phone, light and dark, after two calls. */
async function openLate(t: ExecutionContext, url: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    const { page, complaints } = await open(url, PHONE, colorScheme);
    await page.locator('.call').nth(1).waitFor();
    t.deepEqual(await shown(page, 'agent'), [...inScript('agent'), ...inScript('agent')]);
    const width = await page.evaluate('document.documentElement.scrollWidth');
    t.true(Number(width) <= PHONE.width, `the page is ${width} px wide`);
    t.deepEqual(complaints, []);
    await picture(page, `demo-phone-${colorScheme}`, { fullPage: true });
    await page.setViewportSize(DESKTOP);
    await picture(page, `demo-desktop-${colorScheme}`);
    await page.close();
  }
}

test('a call is shown from its first word to its end, with a column per speaker, also on a page that is opened late on a phone', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, SPEED);
  const url = await demo.pageUrl();
  const { page, complaints, origins } = await open(url, DESKTOP);
  await page.locator('.phrase').nth(6).waitFor();
  await page.locator('.call[data-state=ended] .verdict[data-good=true]').waitFor();

  t.deepEqual(await shown(page, 'customer'), inScript('customer'));
  t.deepEqual(await shown(page, 'agent'), inScript('agent'));
  t.true((await columnOf(page, 'customer')).right < (await columnOf(page, 'agent')).left);
  t.is(await page.locator('.call').count(), 1);
  t.is(await page.locator('.state').textContent(), 'Ended');
  t.is(await page.locator('.gaps').textContent(), 'None');
  // A call that is played faster has no lag that means anything.
  t.true(await page.locator('.worst').isHidden());
  t.is(await page.locator('.audio').textContent(), '0:42');
  t.is(await page.locator('#connection').textContent(), 'Connected');
  t.true(await page.locator('.sparkline').isHidden());
  await picture(page, 'demo-ended', { fullPage: true });

  await page.getByRole('button', { name: 'Play the sample call again' }).press('Enter');
  await page.locator('.call[data-state=ended]').nth(1).waitFor();
  await page.getByRole('heading', { name: 'Call 2' }).waitFor();
  t.deepEqual(await shown(page, 'customer'), [...inScript('customer'), ...inScript('customer')]);

  await openLate(t, url);

  const instance = await open(`${url}/instance/`, DESKTOP);
  await instance.page.locator('#connection[data-state=connected]').waitFor();
  t.is(await instance.page.locator('#state').textContent(), 'Serving');
  t.deepEqual(instance.complaints, []);
  await instance.page.close();

  demo.signal('SIGINT');
  await page.locator('#connection[data-state=lost]').waitFor();
  t.deepEqual([...origins], [new URL(url).origin]);
  // The connection is expected to be lost at the end.
  t.deepEqual(
    complaints.filter((text) => !text.includes('/events') && !text.includes('net::ERR_')),
    [],
  );
});

/** Distance from the end of the newest call to the lower edge of the window, in pixels; negative if it is below. */
function roomBelow(page: Page): Promise<number> {
  return page.evaluate("innerHeight - document.querySelector('.call').getBoundingClientRect().bottom");
}

/** Not waitForFunction, which evaluates in the page when it has to wait: the page's security policy forbids that. */
async function scrolledToTop(page: Page): Promise<void> {
  while ((await page.evaluate('scrollY')) !== 0) await page.evaluate('new Promise(requestAnimationFrame)');
}

test('the page follows the words, unless the reader has scrolled away', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, ['--speed', '5']);
  const { page, complaints } = await open(await demo.pageUrl(), { width: 390, height: 500 });
  const newest = page.getByRole('button', { name: 'Show what is new' });
  await page.locator('.phrases .phrase').nth(4).waitFor();
  t.true((await roomBelow(page)) >= 0);
  t.true(await newest.isHidden());

  await page.mouse.wheel(0, -10_000);
  await scrolledToTop(page);
  const known = await page.locator('.phrases .phrase').count();
  await page.locator('.phrases .phrase').nth(known).waitFor();
  t.is(await page.evaluate('scrollY'), 0);
  t.true((await roomBelow(page)) < 0);
  await picture(page, 'demo-scrolled-away');

  await newest.click();
  t.true((await roomBelow(page)) >= 0);
  t.true(await newest.isHidden());
  await page.locator('.verdict[data-good=true]').waitFor();
  t.true((await roomBelow(page)) >= 0);
  await picture(page, 'demo-followed');
  t.deepEqual(complaints, []);
});

test('the page breaks everything in mid-sentence, and shows that no word is missing or twice', async (t) => {
  t.timeout(TIMEOUT_MS);
  const demo = new RunningDemo(t, ['--speed', '3']);
  const { page, complaints } = await open(await demo.pageUrl(), DESKTOP);
  await page.locator('.phrases .phrase').nth(1).waitFor();
  await page.getByRole('button', { name: 'Break it in mid-sentence' }).click();
  await page.locator('.break').nth(1).waitFor();
  t.deepEqual(
    (await page.locator('.break').allTextContents()).map((text) => text.replace(/^[\d:\s]+/, '')),
    ["Deepgram's connection is broken in mid-sentence", 'integratord is killed in mid-sentence, and restarts'],
  );
  await page.locator('.verdict[data-good=true]').waitFor();
  t.regex(
    (await page.locator('.verdict').textContent()) ?? '',
    /although it was broken.*not a word is missing, and none came twice/,
  );
  t.deepEqual(await shown(page, 'customer'), inScript('customer'));
  t.deepEqual(await shown(page, 'agent'), inScript('agent'));
  t.true(await page.getByRole('button', { name: 'Break it in mid-sentence' }).isHidden());
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize(DESKTOP);
    await picture(page.locator('.call'), `picture-${colorScheme}`);
    await page.setViewportSize(PHONE);
    await picture(page, `demo-broken-phone-${colorScheme}`);
  }
  t.deepEqual(complaints, []);
});

import anyTest, { type ExecutionContext } from 'ava';
import type { Browser, Page } from 'playwright-core';
import { anEnded } from '../ctl/examples.ts';
import { launchChromium } from '../demo/browser.ts';
import { needs } from '../support/tools.ts';
import { PHONE, TIMEOUT_MS, visit } from './browsing.ts';
import { idOf, someSessions } from './calls.ts';
import { PageStage } from './page-stage.ts';

const test = needs(anyTest, 'chromium');
let browser: Browser;
test.before(async () => {
  browser = await launchChromium();
});
test.after.always(() => browser?.close());

async function open(t: ExecutionContext, count: number, options: Parameters<typeof visit>[2] = {}) {
  t.timeout(TIMEOUT_MS);
  const stage = await PageStage.open(t);
  stage.sessions = someSessions(count);
  const visited = await visit(browser, stage.url, options);
  await visited.page.locator('#connection[data-state=connected]').waitFor();
  return { stage, ...visited };
}

const contacts = (page: Page) => page.locator('.card h3').allTextContents();

/** Waits until that session's card is first. */
const firstIs = (page: Page, index: number) =>
  page.locator('#cards > li:first-child h3', { hasText: idOf('c0a1', index) }).waitFor();

test('of 2,000 sessions the page requests and shows one page at a time, and keeps its place', async (t) => {
  const { stage, page, complaints } = await open(t, 2000);
  t.is((await contacts(page)).length, 24);
  t.is(await page.locator('#shown').textContent(), '2,000');
  t.is(await page.locator('#page-number').textContent(), '1–24 of 2,000');
  await page.getByRole('button', { name: 'Previous' }).press('Enter');
  const next = page.getByRole('button', { name: 'Next' });
  await next.press('Enter');
  await firstIs(page, 24);
  t.is(await page.locator('#page-number').textContent(), '25–48 of 2,000');
  t.is(await page.evaluate('document.activeElement.id'), 'next', 'the focus stays');
  // The next poll requests the same page.
  await page.waitForResponse(/offset=24/);
  t.deepEqual([...new Set(stage.queries.map((query) => new URLSearchParams(query).get('offset')))], ['0', '24']);
  t.is(await page.locator('.card').count(), 24);
  t.deepEqual(complaints, []);
  await page.close();
});

test('a call is found by its contact id, and the worst calls can be sorted first', async (t) => {
  const { page } = await open(t, 200);
  await page.getByLabel('Sort').selectOption('Worst lag first');
  await page.waitForResponse(/sort=lag/);
  await page.getByLabel('Sort').selectOption('Most gaps first');
  await firstIs(page, 192);
  await page.getByLabel('Find').fill(idOf('c0a1', 77).slice(0, 12));
  await page.locator('#shown', { hasText: '1 of 200' }).waitFor();
  t.deepEqual(await contacts(page), [idOf('c0a1', 77)]);
  t.is(await page.locator('#news').textContent(), '1 session found, 1 to 1 shown.');
  await page.getByLabel('Find').fill('nobody');
  await page.getByText('None of the 200 sessions has a matching id.').waitFor();
  await page.close();
});

test('events that matter to an operator are announced once, figures are not', async (t) => {
  const { stage, page } = await open(t, 3);
  const news = page.getByRole('status');
  t.is(await news.textContent(), '');
  stage.sessions = stage.sessions.map((session) => ({ ...session, ageMs: session.ageMs + 60_000, lagMs: 99 }));
  await page.locator('.age', { hasText: '4:09' }).waitFor();
  t.is(await news.textContent(), '');
  stage.sessions = stage.sessions.map((session) => ({ ...session, gapMs: 640 }));
  await page.locator('#news', { hasText: 'Audio is missing in 3 sessions.' }).waitFor({ state: 'attached' });
  stage.status = { state: 'cordoned', cordon: { sinceEpochMs: stage.nowEpochMs, reason: 'kernel update' } };
  await page.locator('#news', { hasText: 'The instance is cordoned.' }).waitFor({ state: 'attached' });
  t.regex((await page.locator('#cordon').textContent()) ?? '', /kernel update/);
  stage.refusal = { status: 500, body: { reason: 'internal-error', message: 'Internal error.' } };
  await page.locator('#trouble', { hasText: 'Internal error. The data below is from' }).waitFor();
  stage.refusal = undefined;
  await page.locator('#news', { hasText: 'integratord responds again.' }).waitFor({ state: 'attached' });
  t.true(await page.locator('#trouble').isHidden());
  await page.close();
});

test('a paused page sends no requests until it is resumed or the choice changes', async (t) => {
  const { stage, page } = await open(t, 3);
  const pause = page.getByRole('button', { name: 'Pause' });
  await pause.press(' ');
  t.is(await pause.getAttribute('aria-pressed'), 'true');
  t.is(await page.locator('#connection').textContent(), 'Paused');
  const sent = stage.queries.length;
  await page.getByLabel('Sort').selectOption('Worst lag first');
  await page.locator('#connection', { hasText: /Paused at \d\d:/ }).waitFor();
  t.true(stage.queries.length <= sent + 1);
  t.true(stage.queries.at(-1)?.includes('sort=lag'));
  await pause.press(' ');
  await page.locator('#connection[data-state=connected]').waitFor();
  await page.close();
});

test('everything works from the keyboard, and open details stay open', async (t) => {
  const { page } = await open(t, 3);
  const focused = () => page.evaluate('document.activeElement.textContent.trim() || document.activeElement.id');
  const path: unknown[] = [];
  for (let tabs = 0; tabs < 5; tabs++) {
    await page.keyboard.press('Tab');
    path.push(await focused());
  }
  t.deepEqual([path[0], path[1], path[2], path[4]], ['Skip to the sessions', 'Pause', 'find', 'Ids and settings']);
  await page.keyboard.press('Enter');
  await page.getByText(idOf('5e55', 0)).waitFor();
  await page.waitForResponse(/overview/);
  await page.waitForResponse(/overview/);
  t.true(await page.getByText(idOf('5e55', 0)).isVisible());
  t.is(await focused(), 'Ids and settings');
  await page.locator('.skip').focus();
  await page.keyboard.press('Enter');
  t.is(await page.evaluate('document.activeElement.id'), 'sessions');
  await page.close();
});

test('reduced motion is respected, and touch targets are large enough', async (t) => {
  const { page } = await open(t, 3, { viewport: PHONE, reducedMotion: 'reduce' });
  t.is(await page.evaluate('document.getAnimations().length'), 0);
  t.is(await page.evaluate('getComputedStyle(document.querySelector(".card")).animationName'), 'none');
  for (const control of await page.locator('button:visible, input:visible, select:visible, summary:visible').all()) {
    t.true(((await control.boundingBox())?.height ?? 0) >= 24, await control.innerText());
  }
  await page.close();
});

test('data from outside is shown as text', async (t) => {
  const { stage, page, complaints } = await open(t, 1);
  const contactId = '<img src=x onerror=alert(1)><b>';
  stage.sessions = [{ ...(someSessions(1)[0] as (typeof stage.sessions)[number]), sessionId: 'other', contactId }];
  await page.getByRole('heading', { name: contactId }).waitFor();
  t.is(await page.locator('.card img, .card b').count(), 0);
  t.deepEqual(complaints, []);
  await page.close();
});

test('calls that failed are shown with the reason, and a call without a lag says so', async (t) => {
  const { stage, page, complaints } = await open(t, 0);
  t.false(await page.locator('#failed').isVisible());
  t.regex((await page.locator('#lag-line').textContent()) ?? '', /No lag measured yet/);
  const contactId = idOf('c0a1', 7);
  const reason = 'did not start: KinesisRefused: no such stream <b>bold</b>';
  stage.history = Array.from({ length: 7 }, (_, at) =>
    anEnded({ outcome: 'failed', reason, contactId: idOf('c0a1', 7 - at) }),
  );
  stage.sessions = someSessions(1);
  await page.locator('#failed li', { hasText: contactId }).waitFor();
  t.is(await page.locator('#failed li').count(), 5);
  t.regex((await page.locator('#failed').textContent()) ?? '', /within a day, the last 5 of 7 calls/);
  t.true(((await page.locator('#failed').textContent()) ?? '').includes(reason), 'as text, not as markup');
  t.regex((await page.locator('#lag-line').textContent()) ?? '', /2 min ago0–250 msnow/);
  t.deepEqual(complaints, []);
  await page.close();
});

import anyTest from 'ava';
import type { Browser } from 'playwright-core';
import type { DrainView, Status } from '../../daemon/contract/control-api.ts';
import { aDrain, anEnded, NOW_EPOCH_MS } from '../ctl/examples.ts';
import { launchChromium, picture } from '../demo/browser.ts';
import { needs } from '../support/tools.ts';
import { barriers, DESKTOP, PHONE, TABLET, TIMEOUT_MS, visit, widthOf } from './browsing.ts';
import { someSessions } from './calls.ts';
import { PageStage } from './page-stage.ts';

const test = needs(anyTest, 'chromium');
let browser: Browser;
test.before(async () => {
  browser = await launchChromium();
});
test.after.always(() => browser?.close());

const HOUR_MS = 3_600_000;
const DRAIN: Partial<DrainView> = {
  source: 'lifecycle',
  reason: 'the Auto Scaling group wants the instance Terminated',
  sinceEpochMs: NOW_EPOCH_MS - HOUR_MS / 2,
  deadlineAtEpochMs: NOW_EPOCH_MS + 1.5 * HOUR_MS,
  takesStartsUntilEpochMs: NOW_EPOCH_MS - HOUR_MS / 2 + 20_000,
  sessionsLeft: 12,
};
const INSTANCE: Partial<Status> = {
  lifecycle: { on: true, instanceId: 'i-0123456789abcdef0', groupName: 'integratord-fleet', state: 'InService' },
};

const SITUATIONS: readonly { name: string; sessions: number; status: Partial<Status>; failed?: number }[] = [
  { name: 'no call', sessions: 0, status: { lifecycle: { on: false } } },
  { name: '3 calls', sessions: 3, status: INSTANCE, failed: 7 },
  { name: '200 calls', sessions: 200, status: INSTANCE },
  { name: 'a drain', sessions: 12, status: { ...INSTANCE, state: 'draining', drain: aDrain(DRAIN) } },
];

/** axe-core takes seconds: it examines one layout per color scheme. */
const EXAMINED = { light: PHONE, dark: DESKTOP } as const;

for (const { name, sessions, status, failed = 0 } of SITUATIONS) {
  test(`${name}: fits every width in light and dark, and axe-core finds nothing`, async (t) => {
    t.timeout(TIMEOUT_MS);
    const stage = await PageStage.open(t);
    stage.sessions = someSessions(sessions);
    stage.status = status;
    const reason = 'DeepgramLost: Deepgram closed with 1011: NET-0001, and stayed away for 5 minutes';
    stage.history = Array.from({ length: failed }, () => anEnded({ outcome: 'failed', reason }));
    const { page, complaints, origins } = await visit(browser, stage.url);
    // Until the sparklines have a few points.
    while (stage.queries.length < 3) await page.waitForResponse(/overview/);
    await page.locator('#connection[data-state=connected]').waitFor();
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      for (const viewport of [PHONE, TABLET, DESKTOP]) {
        const size = `${viewport.width} px, ${colorScheme}`;
        await page.setViewportSize(viewport);
        t.is(await page.locator('#pages').isVisible(), sessions > 24, size);
        t.is(await widthOf(page), viewport.width, size);
        if (viewport === EXAMINED[colorScheme]) t.deepEqual(await barriers(page), [], size);
        const pictured = `page-${name.replaceAll(' ', '-')}-${viewport.width}-${colorScheme}`;
        await picture(page, pictured, { fullPage: sessions <= 12 });
      }
    }
    t.deepEqual([...origins], [new URL(stage.url).origin]);
    t.deepEqual(complaints, []);
    await page.close();
  });
}

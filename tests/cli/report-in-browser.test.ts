/** The HTML report in a real browser. Without one the tests are reported as skipped. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { htmlReport, SweepSummary } from '../../reports/index.ts';
import { lifeFigures, SUBTASK_RECORDS } from '../unit/reports/life-fixture.ts';

const CHROMIUM = '/usr/bin/chromium';
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

describe.skipIf(!existsSync(CHROMIUM))('the HTML report in Chromium', () => {
  let browser: Browser | undefined;
  let folder = '';
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'tidemark-browser-'));
    browser = await chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  });
  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('a checkpoint of a life opens and shows a bar per subtask, inside the window', async () => {
    const life = { ...lifeFigures({ subtaskRecords: SUBTASK_RECORDS }), replay: 'r' };
    const summary = new SweepSummary();
    summary.add(life);
    const path = join(folder, 'subtasks.html');
    writeFileSync(path, htmlReport({ title: 'a life', engineVersion: '0', sums: summary.sums(), lives: [life] }));
    const page = await browser!.newPage({ viewport: { width: 1_000, height: 800 } });
    await page.goto(`file://${path}`);
    const checkpoint = page.locator('details.checkpoint').nth(1);
    const bars = checkpoint.locator('svg.subtasks');
    expect(await bars.isVisible()).toBe(false);
    await checkpoint.locator('summary').click();
    expect(await bars.isVisible()).toBe(true);
    expect(await bars.locator('rect').count()).toBe(5);
    const asynchronous = await bars.locator('rect.async').boundingBox();
    const total = await bars.boundingBox();
    expect(asynchronous?.width ?? 0).toBeGreaterThan((total?.width ?? 0) / 3);
    expect((asynchronous?.x ?? 0) + (asynchronous?.width ?? 0)).toBeLessThan((total?.x ?? 0) + (total?.width ?? 0));
    const fill = "getComputedStyle(document.querySelector('details.checkpoint[open] rect.async')).fill";
    expect(await page.evaluate(fill)).toBe('rgb(31, 111, 178)');
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await page.close();
  });

  it.each([1, 1_000])(
    'of %i lives opens without errors or requests, fits the window, and can be filtered',
    async (count) => {
      const lives = Array.from({ length: count }, (_, index) => ({
        ...lifeFigures({
          seed: `<b>${index + 1}</b>`,
          verdict: index % 100 === 0 ? ('violated' as const) : ('passed' as const),
        }),
        replay: 'tidemark replay x.json',
      }));
      const summary = new SweepSummary();
      for (const life of lives) summary.add(life);
      const path = join(folder, `report-${count}.html`);
      writeFileSync(path, htmlReport({ title: 'a sweep', engineVersion: '0', sums: summary.sums(), lives }));

      const page = await browser!.newPage({ viewport: { width: 1_000, height: 800 } });
      const trouble: string[] = [];
      page.on('pageerror', (error) => trouble.push(error.message));
      page.on('console', (message) => message.type() === 'error' && trouble.push(message.text()));
      page.on('request', (request) => !request.url().startsWith(`file://${path}`) && trouble.push(request.url()));
      await page.goto(`file://${path}`);

      const rows = page.locator('tr[data-verdict]');
      expect(await rows.count()).toBe(count);
      expect(await page.locator('tr[data-verdict] b').count()).toBe(0);
      expect(await page.locator('details[open] svg rect').first().isVisible()).toBe(true);
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      await page.selectOption('#filter', 'violated');
      expect(await page.locator('tr[data-verdict]:visible').count()).toBe(Math.ceil(count / 100));
      expect(trouble).toEqual([]);
      await page.close();
    },
  );
});

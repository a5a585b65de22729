// node dashboard.mjs CASE URL [VALUES as JSON]: one thing that a person does with the dashboard, in a real Chromium. Fails on
// whatever the browser complains of, on a request to another host, and on what axe finds.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';

const modules = createRequire(join(process.env.JIC_NODE_MODULES, 'index.js'));
const { chromium } = modules('playwright-core');
const axe = modules.resolve('axe-core/axe.min.js');
const [, , name, url, values] = process.argv;
const given = JSON.parse(values ?? '{}');

async function accessible(page) {
  // Through the debugger's channel: the page's own policy would refuse a script that is not the server's.
  const { source } = await import('node:fs').then((fs) => ({ source: fs.readFileSync(axe, 'utf8') }));
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes.slice(0, 3).map((n) => n.html).join(' ')}`), []);
}

const settle = (page) => page.waitForFunction(() => document.querySelector('h1') && !document.querySelector('.waiting'));
async function go(page, fragment) {
  await page.goto(`${url}/#/${fragment}`);
  await settle(page);
}
const texts = (page, selector) => page.locator(selector).allTextContents();

const cases = {
  async overview(page) {
    await go(page, '');
    assert.match(await page.locator('.tile').first().innerText(), /Hit rate\s+93\.\d %/);
    assert.equal(await page.locator('canvas').count(), 4);
    assert.deepEqual(await texts(page, '[aria-label="By lane"] .shares a'), ['main', 'nightly', 'pr/417', 'pr/423']);
    await page.locator('.bar-top select').selectOption('60 days');
    await settle(page);
    await page.waitForSelector('canvas');
    await accessible(page);
    if (given.picture) { await page.locator('.bar-top select').selectOption('1 day'); await page.waitForTimeout(800); await page.screenshot({ path: `${given.picture}/dashboard-overview.png` }); }
  },
  async filters(page) {
    await go(page, 'packages');
    await page.getByLabel('Search').fill('makie');
    await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
    assert.deepEqual((await texts(page, 'tbody a')).sort(), ['CairoMakie', 'Makie']);
    await page.getByRole('link', { name: 'Makie', exact: true }).click();
    await page.getByLabel('Julia').selectOption('1.11.1');
    await page.waitForFunction(() => { const rows = [...document.querySelectorAll('tbody tr')]; return rows.length > 3 && rows.every((r) => r.innerText.includes('1.11.1')); });
    await accessible(page);
    await go(page, 'misses');
    await page.getByLabel('Filter').fill('turing');
    assert.equal(await page.locator('tbody tr').count(), 1);
    await page.getByLabel('Filter').fill('nothing like it');
    assert.match(await page.locator('.empty').innerText(), /Nothing matches/);
  },
  async graph(page) {
    await go(page, 'environments');
    await page.getByRole('link', { name: 'Plots, CUDA, Flux' }).click();
    await page.waitForSelector('svg .node');
    assert.equal(await page.locator('svg .node').count(), 42);
    assert.equal(await page.locator('svg .node.missing').count(), 4);
    await page.locator('svg .node.stored', { hasText: 'DataFrames' }).click();
    assert.match(await page.locator('.detail').innerText(), /In the lane main/);
    await accessible(page);
    await page.getByRole('link', { name: /Who made it/ }).click();
    await page.waitForSelector('.facts');
    const facts = await page.locator('main').innerText();
    for (const part of ['ci-main', 'builder-17.example.org', 'git-tree-sha1:ae516f77', 'https://ci.example.org/runs/90417', 'Required by']) assert.ok(facts.includes(part), part);
    await accessible(page);
  },
  async miss(page) {
    await go(page, 'misses');
    await page.getByRole('link', { name: 'Turing' }).first().click();
    await page.waitForSelector('.detail');
    assert.match(await page.locator('.detail').innerText(), /Why: .*stored|Why: nothing of this package/);
  },
  async script(page) {
    let dialogs = 0;
    page.on('dialog', (dialog) => { dialogs++; dialog.dismiss(); });
    for (const fragment of ['packages', 'artefacts?package=%3Cscript%3Ealert(1)%3C%2Fscript%3E', 'environments']) await go(page, fragment);
    await page.getByRole('link', { name: 'Plots, CUDA, Flux' }).click();
    await page.waitForSelector('svg .node');
    const node = page.locator('tbody a', { hasText: '<script>alert(1)</script>' });
    await node.click();
    await page.getByRole('link', { name: /Who made it/ }).click();
    await page.waitForSelector('.facts');
    assert.match(await page.locator('h1').innerText(), /^<script>alert\(1\)<\/script>/);
    assert.equal(await page.locator('main script').count(), 0);
    assert.equal(dialogs, 0);
  },
  async dark(page) {
    await go(page, '');
    const back = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await back();
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.notEqual(await back(), light);
    await accessible(page);
    await page.getByRole('button', { name: 'Light colours' }).click();
    await page.waitForFunction((colour) => getComputedStyle(document.body).backgroundColor === colour, light);
  },
  async keyboard(page) {
    await go(page, '');
    await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'To the content');
    for (let i = 0; i < 3; i++) await page.keyboard.press('Tab');
    assert.equal(await page.evaluate(() => document.activeElement.textContent), 'Environments');
    await page.keyboard.press('Enter');
    await page.waitForSelector('tbody a');
    const focus = async (selector) => { for (let i = 0; i < 60; i++) { if (await page.evaluate((s) => document.activeElement.matches(s), selector)) return; await page.keyboard.press('Tab'); } assert.fail(`no way to ${selector}`); };
    await focus('tbody a');
    await page.keyboard.press('Enter');
    await page.waitForSelector('svg .node');
    await focus('svg .node');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.detail');
    await focus('th button');
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('th[aria-sort=ascending]').count(), 1);
  },
  async arrives(page) {
    await go(page, '');
    const note = () => page.locator('.tile').nth(1).locator('.note').innerText();
    const before = Number(/in ([\d,]+) pull/.exec(await note())[1]);
    await promisify(execFile)(given.command[0], given.command.slice(1), { env: given.env });
    await page.waitForFunction((n) => document.querySelectorAll('.tile .note')[1].innerText.startsWith(`in ${n} pull`), before + 1, { timeout: 90000 });
    await page.getByRole('link', { name: 'Larch, Kelp' }).waitFor();
  },
  async lived_overview(page) {
    await go(page, '');
    assert.match(await page.locator('.tile').first().innerText(), /Hit rate\s+50 %|Hit rate\s+50\.0 %/);
    assert.match(await page.locator('.tile').nth(2).innerText(), /Artefacts\s+13\s/);
    assert.deepEqual(await texts(page, '[aria-label="By lane"] .shares a'), ['pr/7', 'main']);
    assert.deepEqual(await texts(page, '[aria-label="By Julia version"] .shares a'), [given.julia]);
    assert.match(await page.locator('[aria-label="Environments lately asked for"] tbody tr').first().innerText(), /Larch, Kelp\s+50\.0 %\s+12\s+.*pr\/7/s);
    const misses = await texts(page, '[aria-label="Recent misses"] tbody tr a');
    assert.deepEqual(misses.sort(), Object.keys(given.states).filter((name) => given.states[name] !== 'stored').sort());
    await accessible(page);
    await page.emulateMedia({ colorScheme: 'dark' });
    await accessible(page);
  },
  async lived_filters(page) {
    const rows = (n) => page.waitForFunction((wanted) => document.querySelectorAll('tbody tr').length === wanted, n);
    await go(page, 'artefacts');
    await rows(13);
    await page.getByLabel('Lane').selectOption('main');
    await rows(1);
    assert.match(await page.locator('tbody tr').innerText(), /Alder.*nightly/s);
    await page.getByLabel('Lane').selectOption('');
    await page.getByLabel('Package').fill('Alder');
    await rows(2);
    await page.getByLabel('Julia').selectOption(given.julia);
    await rows(2);
    await go(page, 'misses');
    await page.getByLabel('Reason').selectOption('other-version');
    assert.deepEqual(await texts(page, 'tbody a'), ['Larch']);
    await go(page, 'packages');
    await page.getByLabel('Search').fill('fir');
    await rows(1);
  },
  async lived_graph(page) {
    await go(page, 'environments');
    await page.getByRole('link', { name: 'Larch, Kelp' }).click();
    await page.waitForSelector('svg .node');
    const shown = await page.evaluate(() => [...document.querySelectorAll('svg .node')].map((node) => [node.querySelector('text').textContent,
      ['stored', 'superseded', 'missing'].find((state) => node.classList.contains(state)), getComputedStyle(node.querySelector('circle')).fill]));
    assert.deepEqual(Object.fromEntries(shown.map(([name, state]) => [name, state])), given.states);
    assert.equal(new Set(shown.map(([, state, colour]) => `${state} ${colour}`)).size, 3, 'each state has a colour');
    assert.equal(new Set(shown.map(([, , colour]) => colour)).size, 3, 'and each its own');
    await page.locator('svg .node', { hasText: 'Alder' }).click();
    assert.match(await page.locator('.detail').innerText(), /In the lane main/);
    await page.locator('svg .node', { hasText: 'Hazel' }).click();
    assert.match(await page.locator('.detail').innerText(), /superseded.*built on another build.*next push to the lane pr\/7/s);
    if (given.picture) await page.screenshot({ path: `${given.picture}/dashboard-graph.png` });
    await page.locator('svg .node', { hasText: 'Fir' }).click();
    await accessible(page);
    await page.getByRole('link', { name: /Who made it/ }).click();
    await page.waitForSelector('.facts');
    const panel = (name) => page.locator(`[aria-label="${name}"]`).innerText();
    assert.match(await panel('Who made it, and when'), new RegExp(`\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d UTC.*pr-runner.*${given.host}.*pr/7`, 's'));
    assert.match(await panel('From what'), new RegExp(`git-tree-sha1:${given.tree}.*${given.julia}`, 's'));
    assert.match(await panel('Depends on'), /Cedar.*Damson/s);
    assert.match(await panel('Required by'), /Gorse.*Hazel/s);
    await accessible(page);
    await page.getByRole('link', { name: /Hazel/ }).click();
    await page.waitForFunction(() => document.querySelector('h1')?.innerText.startsWith('Hazel'));
    assert.equal(await page.locator('.bar-top .state').innerText(), 'superseded');
  },
  async lived_miss(page) {
    await go(page, 'misses');
    await page.getByLabel('Filter').fill('larch');
    assert.match(await page.locator('tbody tr').innerText(), /0\.77\.0.*another version of the package is stored \(0\.11\.0\).*missing/s);
    await page.getByLabel('Filter').fill('hazel');
    assert.match(await page.locator('tbody tr').innerText(), /superseded.*missing/s);
    await page.getByLabel('Filter').fill('larch');
    await page.getByRole('link', { name: 'Larch' }).click();
    assert.match(await page.locator('.detail').innerText(), /another version.*version 0\.11\.0.*jicache why Larch/s);
  },
  async token(page) {
    await go(page, '');
    assert.match(await page.locator('form').innerText(), /token that may read/);
    await page.getByLabel('Token').fill(given.wrong);
    await page.getByRole('button', { name: 'Enter' }).click();
    assert.match(await page.locator('.problem').innerText(), /unknown or was revoked/);
    await accessible(page);
    await page.getByLabel('Token').fill(given.admin);
    await page.getByRole('button', { name: 'Enter' }).click();
    await page.getByRole('link', { name: 'Tokens' }).click();
    await page.waitForSelector('tbody tr');
    await accessible(page);
    await page.getByRole('button', { name: `Revoke ${given.victim}` }).click();
    await page.getByRole('button', { name: `Revoke ${given.victim}` }).click();
    await page.waitForFunction((victim) => !document.querySelector('table').innerText.includes(victim), given.victim);
    assert.match(await page.locator('.lead').innerText(), /is revoked/);
    assert.equal(await page.evaluate(() => Object.keys(localStorage).length + document.cookie.length), 0);
  },
};

const browser = await chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server', '--disable-background-networking', '--disable-component-update'] });
const page = await browser.newPage({ viewport: { width: 1320, height: 940 }, colorScheme: 'light' });
page.setDefaultTimeout(15000);
const complaints = [];
// What a refused token gives is the browser's own line about the 401 that was meant to come.
page.on('console', (message) => message.type() === 'error' && !(name === 'token' && /\b401\b/.test(message.text())) && complaints.push(message.text()));
page.on('pageerror', (error) => complaints.push(String(error)));
page.on('request', (request) => new URL(request.url()).origin === url || complaints.push(`a request to ${request.url()}`));
try {
  await cases[name](page);
  assert.deepEqual(complaints, []);
} catch (error) {
  if (given.failed) await page.screenshot({ path: `${given.failed}/${name}.png` }).catch(() => {});
  throw error;
} finally {
  await browser.close();
}

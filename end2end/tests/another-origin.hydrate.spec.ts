import type { Browser, Page } from '@playwright/test';
import { Api } from '../support/api';
import { Site } from '../support/site';
import { expect, test } from '../support/test';

/** A page of another site. Its console may complain: that is what the test is about. */
async function pageOf(browser: Browser, site: Site): Promise<Page> {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site.origin);
  return page;
}

test("a React developer's page on localhost:5173 signs in, reads, writes and listens", async ({
  app,
  browser,
}) => {
  const account = await Api.register(app, 'react', 'correct horse 9');
  const site = await Site.serve(5173);
  const page = await pageOf(browser, site);
  const seen = await page.evaluate(
    async ({ url, username, password }) => {
      const call = async (method: string, path: string, body?: unknown, token?: string) => {
        // As clients that grew up beside Django call: with its headers, and with whatever cookies there are.
        const headers: Record<string, string> = {
          'Content-Type': 'application/json',
          'X-CSRFToken': 'habit',
          'X-Requested-With': 'XMLHttpRequest',
          'If-None-Match': '"none"',
        };
        if (token) headers.Authorization = `Bearer ${token}`;
        const init = { method, headers, credentials: 'include', body: body && JSON.stringify(body) } as RequestInit;
        const answer = await fetch(url + path, init);
        return { status: answer.status, headers: answer.headers, body: await answer.json().catch(() => null) };
      };
      const { access } = (await call('POST', '/api/token/', { username, password })).body;
      const rooms = '/api/chat/rooms/';
      const made = await call('POST', rooms, { name: '茶', room_type: 'private' }, access);
      await call('POST', rooms, { name: '糕', room_type: 'private' }, access);
      const room = `${rooms}${made.body.id}/`;
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat/${made.body.id}/?token=${access}`);
      const frames: any[] = [];
      const echoed = new Promise((resolve, reject) => {
        socket.onclose = reject;
        socket.onmessage = (message) => {
          const frame = JSON.parse(message.data);
          frames.push(frame.type);
          if (frame.type === 'connection_established') {
            socket.send(JSON.stringify({ type: 'chat_message', content: 'by socket' }));
          } else if (frame.type === 'chat_message') {
            resolve(frame.message.content);
          }
        };
      });
      const echo = await echoed;
      socket.close();
      const sent = await call('POST', `${room}messages/`, { content: 'by REST' }, access);
      const patched = await call('PATCH', `/api/chat/messages/${sent.body.id}/`, { content: 'by PATCH' }, access);
      const page = await call('GET', `${room}messages/`, undefined, access);
      const list = await call('GET', `${rooms}?mine=true&page_size=1`, undefined, access);
      const refused = await call('GET', '/api/me/', undefined, 'forged');
      const missing = await call('GET', '/api/nothing/here/', undefined, access);
      const gone = await call('DELETE', room, undefined, access);
      return {
        frames,
        echo,
        sent: sent.status,
        patched: patched.status,
        texts: page.body.messages.map((message: { content: string }) => message.content),
        link: list.headers.get('link'),
        id: list.headers.get('x-request-id'),
        refused: [refused.status, refused.body.code],
        missing: [missing.status, missing.body.code],
        gone: gone.status,
      };
    },
    { url: app.url, ...account },
  );
  expect(seen).toMatchObject({
    frames: ['connection_established', 'chat_message'],
    echo: 'by socket',
    sent: 201,
    patched: 200,
    texts: ['by PATCH', 'by socket'],
    refused: [401, 'token_not_valid'],
    missing: [404, 'not_found'],
    gone: 204,
  });
  expect(seen.link, 'headers that the page may read').toContain('rel="next"');
  expect(seen.id).toBeTruthy();
  await page.context().close();
  await site.close();
});

test('the session of the bundled UI gives a page of another origin nothing', async ({ app, people, troubles }) => {
  troubles.allow(/401/);
  // The same host on another port: to SameSite it is the same site, so the cookie goes along.
  const site = await Site.serve(0, '127.0.0.1');
  const page = await people.open(await people.stranger('signed_in'));
  await page.goto(site.origin);
  const seen = await page.evaluate(async (url) => {
    const answer = await fetch(`${url}/api/me/`, { credentials: 'include' });
    return { status: answer.status, code: (await answer.json()).code };
  }, app.url);
  expect(seen).toEqual({ status: 401, code: 'not_authenticated' });
  await page.goto('about:blank');
  await site.close();
});

test('a page of a site that is not on the list reads nothing, writes nothing and hears nothing', async ({
  app,
  browser,
}) => {
  const account = await Api.register(app, 'stranger', 'correct horse 9');
  const api = await Api.signIn(app, account);
  const room = await api.post<{ id: number }>('/api/chat/rooms/', { name: '茶', room_type: 'public' });
  const { access } = await api.post<{ access: string }>('/api/token/', account);
  const site = await Site.serve(0, 'stranger.localhost');
  const page = await pageOf(browser, site);
  const seen = await page.evaluate(
    async ({ url, room, access }) => {
      const headers = { 'Content-Type': 'application/json', Authorization: `Bearer ${access}` };
      const attempt = (path: string, init: RequestInit) =>
        fetch(url + path, init).then(
          (answer) => answer.status,
          (error) => error.name,
        );
      const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/chat/${room}/?token=${access}`);
      const heard = new Promise((resolve) => {
        socket.onopen = () => resolve('open');
        socket.onclose = () => resolve('closed');
      });
      return {
        read: await attempt('/api/me/', { headers }),
        readWithoutPreflight: await attempt('/api/me/', {}),
        written: await attempt(`/api/chat/rooms/${room}/messages/`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ content: 'from afar' }),
        }),
        heard: await heard,
      };
    },
    { url: app.url, room: room.id, access },
  );
  expect(seen).toEqual({
    read: 'TypeError',
    readWithoutPreflight: 'TypeError',
    written: 'TypeError',
    heard: 'closed',
  });
  const history = await api.get<{ total: number }>(`/api/chat/rooms/${room.id}/messages/`);
  expect(history.total, 'nothing was stored').toBe(0);
  await page.context().close();
  await site.close();
});

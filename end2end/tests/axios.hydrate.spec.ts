import { setTimeout as delay } from 'node:timers/promises';
import axios, { type AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { Api } from '../support/api';
import { App } from '../support/app';
import { Site } from '../support/site';
import { expect, test } from '../support/test';

/** What each React project has somewhere: a client that gets itself a new access token when the old one is refused. */
function client(url: string, tokens: { access: string; refresh: string }) {
  const http = axios.create({ baseURL: url });
  let refreshing: Promise<string> | undefined;
  let refreshes = 0;
  const refresh = async () => {
    refreshes += 1;
    const { data } = await axios.post(`${url}/api/token/refresh/`, { refresh: tokens.refresh });
    tokens.access = data.access;
    tokens.refresh = data.refresh ?? tokens.refresh;
    return tokens.access;
  };
  http.interceptors.request.use((config) => {
    config.headers.Authorization = `Bearer ${tokens.access}`;
    return config;
  });
  http.interceptors.response.use(undefined, async (error: AxiosError<{ code: string }>) => {
    const request = error.config as InternalAxiosRequestConfig & { again?: boolean };
    if (error.response?.status !== 401 || error.response.data.code !== 'token_not_valid' || request.again) throw error;
    request.again = true;
    refreshing ??= refresh().finally(() => (refreshing = undefined));
    await refreshing;
    return http(request);
  });
  return { http, refreshes: () => refreshes };
}

for (const rotation of [false, true]) {
  test(`an axios client outlives its access token, ${rotation ? 'with' : 'without'} rotation`, async () => {
    const app = await App.launch('--access-token-lifetime=4s', `--rotate-refresh-tokens=${rotation}`);
    const account = await Api.register(app, 'axios', 'correct horse 9');
    const { data: tokens } = await axios.post(`${app.url}/api/token/`, account);
    const first = tokens.refresh;
    const { http, refreshes } = client(app.url, tokens);
    const { data: room } = await http.post('/api/chat/rooms/', { name: '茶', room_type: 'public' });
    for (const round of [1, 2]) {
      const before = refreshes();
      // Longer than the token's life, whose end is told in whole seconds.
      await delay(4_100);
      const answers = await Promise.all([
        http.get('/api/me/'),
        http.get('/api/chat/rooms/'),
        http.get(`/api/chat/rooms/${room.id}/messages/`),
        http.post(`/api/chat/rooms/${room.id}/messages/`, { content: `round ${round}` }),
      ]);
      expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 201]);
      expect(refreshes()).toBeGreaterThan(before);
    }
    const { data: page } = await http.get(`/api/chat/rooms/${room.id}/messages/`);
    expect(page.messages.map((message: { content: string }) => message.content)).toEqual(['round 2', 'round 1']);
    expect(tokens.refresh === first).toBe(!rotation);
    await app.remove();
  });
}

test("axios in a React developer's page calls as it would a Django system", async ({ app, browser }) => {
  const account = await Api.register(app, 'axios_page', 'correct horse 9');
  const site = await Site.serve(0);
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(site.origin);
  await page.addScriptTag({ path: 'node_modules/axios/dist/axios.min.js' });
  const seen = await page.evaluate(
    async ({ url, username, password }) => {
      document.cookie = 'csrftoken=habit';
      const http = (window as any).axios.create({
        baseURL: url,
        headers: { 'X-Requested-With': 'XMLHttpRequest' },
        withCredentials: true,
        withXSRFToken: true,
        xsrfCookieName: 'csrftoken',
        xsrfHeaderName: 'X-CSRFToken',
      });
      const { data } = await http.post('/api/token/', { username, password });
      const me = await http.get('/api/me/', { headers: { Authorization: `Bearer ${data.access}` } });
      const refused = await http.get('/api/me/').catch((error: any) => error.response?.data.code);
      return { username: me.data.username, refused };
    },
    { url: app.url, ...account },
  );
  expect(seen).toEqual({ username: account.username, refused: 'not_authenticated' });
  await context.close();
  await site.close();
});

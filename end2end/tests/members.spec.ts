import { expect, test } from '../support/test';

// Pages about a room and its people. Plain forms: each of these runs with a script and without.

const makeRoom = (person: { api: { post<T>(path: string, body: unknown): Promise<T> } }, room_type = 'public') =>
  person.api.post<{ id: number }>('/api/chat/rooms/', { name: '会议室', room_type }).then(({ id }) => id);

interface Member {
  user: { id: number };
  role: string;
  is_muted: boolean;
  is_banned: boolean;
}

test('an admin invites, raises, mutes, bans and lets in again', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await makeRoom(lin, 'private');
  const page = await people.open(lin);
  await page.goto(`/rooms/${id}/members`);
  await page.getByLabel('邀请成员').fill('nobody_at_all');
  await page.getByRole('button', { name: '邀请' }).click();
  await expect(page.locator('#username-problem')).toHaveText('没有这个用户。');
  await expect(page.getByLabel('邀请成员')).toHaveValue('nobody_at_all');
  await page.getByLabel('邀请成员').fill(`@${mei.username}`);
  await page.getByRole('button', { name: '邀请' }).click();
  const row = page.getByTestId('person').filter({ hasText: mei.username });
  await expect(row).toBeVisible();

  const stored = async () => {
    const all = await lin.api.get<Member[]>(`/api/chat/rooms/${id}/members/`);
    return all.find(({ user }) => user.id === mei.id)!;
  };
  const act = async (name: string) => {
    await row.locator('summary').click();
    await row.getByRole('button', { name, exact: true }).click();
  };
  await act('设为副管理员');
  await expect(row).toContainText('副管理员');
  expect((await stored()).role).toBe('moderator');
  await act('禁言');
  await expect(row).toContainText('已禁言');
  await act('封禁');
  await expect(row).toContainText('已封禁');
  // What was done is said, and can be undone.
  const done = page.getByRole('status').filter({ hasText: `${mei.username}：已封禁` });
  await done.getByRole('button', { name: '撤销' }).click();
  await expect(row).not.toContainText('已封禁');
  expect(await stored()).toMatchObject({ is_muted: true, is_banned: false });
  await act('封禁');
  await expect(row).toContainText('已封禁');
  expect(await stored()).toMatchObject({ is_muted: true, is_banned: true });
  await act('解除封禁');
  await expect(row).not.toContainText('已封禁');
  await act('移出房间');
  await expect(row).toHaveCount(0);
  await expect(page.getByRole('status')).toHaveText('已移出房间。');
});

test('members see no way to do what they may not', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await makeRoom(lin);
  await mei.api.post(`/api/chat/rooms/${id}/join/`);
  const page = await people.open(mei);
  await page.goto(`/rooms/${id}/members`);
  await expect(page.getByTestId('person')).toHaveCount(2);
  await expect(page.getByTestId('person').locator('summary')).toHaveCount(0);
  await expect(page.getByLabel('邀请成员')).toHaveCount(0);
});

test('a stranger finds no settings', async ({ people, troubles }) => {
  troubles.allow(/403/);
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await makeRoom(lin);
  const page = await people.open(mei);
  expect((await page.goto(`/rooms/${id}/settings`))?.status()).toBe(403);
  await expect(page.getByRole('alert')).toBeVisible();
});

test('a room is renamed, refuses what cannot be, and is deleted when that is confirmed', async ({ people }) => {
  const lin = await people.create('lin');
  const id = await makeRoom(lin);
  const page = await people.open(lin);
  await page.goto(`/rooms/${id}/settings`);
  await page.getByLabel('名称').fill('  ');
  await page.getByRole('button', { name: '保存' }).click();
  await expect(page.locator('#name-problem')).toBeVisible();
  await page.getByLabel('名称').fill('新会议室');
  await page.getByLabel('成员上限').fill('7');
  await page.getByRole('button', { name: '保存' }).click();
  await expect(page).toHaveURL(new RegExp(`/rooms/${id}$`));
  await expect(page.getByRole('heading', { name: '新会议室' }).first()).toBeVisible();
  expect(await lin.api.get(`/api/chat/rooms/${id}/`)).toMatchObject({ name: '新会议室', max_members: 7 });

  await page.goto(`/rooms/${id}/settings`);
  await page.locator('summary', { hasText: '删除房间' }).click();
  await page.getByRole('button', { name: '删除房间' }).click();
  await expect(page).toHaveURL(/\/rooms$/);
  expect(await lin.api.get(`/api/chat/rooms/${id}/`)).toMatchObject({ is_active: false });
});

test('whoever leaves a room that they cannot come back to is asked first', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await makeRoom(lin, 'private');
  await lin.api.post(`/api/chat/rooms/${id}/members/`, { username: mei.username });
  const members = () => lin.api.get<Member[]>(`/api/chat/rooms/${id}/members/`).then((all) => all.map(({ user }) => user.id));
  const page = await people.open(mei);
  await page.goto(`/rooms/${id}`);
  // By the keyboard alone.
  await page.locator('summary', { hasText: '退出房间' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByText('只有再次受邀才能回到「会议室」')).toBeVisible();
  expect(await members()).toEqual([lin.id, mei.id]);
  await page.keyboard.press('Tab');
  await expect(page.getByRole('button', { name: '退出房间' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/rooms$/);
  expect(await members()).toEqual([lin.id]);
});

test('out of a public room it is one step, since it is one back', async ({ people }) => {
  const [lin, mei] = [await people.create('lin'), await people.create('mei')];
  const id = await makeRoom(lin);
  await mei.api.post(`/api/chat/rooms/${id}/join/`);
  const page = await people.open(mei);
  await page.goto(`/rooms/${id}`);
  await page.getByRole('button', { name: '退出房间' }).click();
  await expect(page).toHaveURL(/\/rooms$/);
  expect(await lin.api.get<Member[]>(`/api/chat/rooms/${id}/members/`)).toHaveLength(1);
});

import { expect, test } from '../support/test';

/** Sockets for each size: whether the last words come through must not depend on luck. */
const SOCKETS = 6;

test('a browser is told that a frame was too large, also while it is still sending it', async ({ page, people }) => {
  const person = await people.create('verbose');
  const { id } = await person.api.post<{ id: number }>('/api/chat/rooms/', { name: '茶', room_type: 'private' });
  const { access } = await person.api.post<{ access: string }>('/api/token/', person);
  await page.goto('/sign-in');
  for (const size of [66_000, 300_000, 1_000_000, 5_000_000]) {
    const ends = await page.evaluate(
      async ({ path, size, sockets }) => {
        const end = () =>
          new Promise<{ code: number; errors: string[] }>((resolve) => {
            const errors: string[] = [];
            const socket = new WebSocket(`${location.origin.replace('http', 'ws')}${path}`);
            socket.onmessage = (message) => {
              const frame = JSON.parse(message.data);
              if (frame.type === 'error') errors.push(frame.code);
              if (frame.type === 'connection_established') socket.send('x'.repeat(size));
            };
            socket.onclose = ({ code }) => resolve({ code, errors });
          });
        return Promise.all(Array.from({ length: sockets }, end));
      },
      { path: `/ws/chat/${id}/?token=${access}`, size, sockets: SOCKETS },
    );
    expect(ends, `${size} bytes`).toEqual(Array(SOCKETS).fill({ code: 1009, errors: ['too_large'] }));
  }
});

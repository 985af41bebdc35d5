import { expect, type Locator, type Page } from '@playwright/test';

/** A room as somebody sees it. Words are the Chinese ones, which a browser that asks for them gets. */
export class RoomPage {
  readonly messages: Locator;
  /** What was written in them: without authors, times and what one can do with a message. */
  readonly bodies: Locator;
  readonly composer: Locator;
  readonly send: Locator;
  readonly typing: Locator;
  /** What one is about to do with a message, above the composer. */
  readonly doing: Locator;

  constructor(readonly page: Page) {
    this.messages = page.getByTestId('message');
    this.bodies = this.messages.locator('.prose');
    this.composer = page.getByRole('textbox', { name: '写消息' });
    this.send = page.getByRole('button', { name: '发送' });
    this.typing = page.getByTestId('typing');
    this.doing = page.getByTestId('doing');
  }

  /** Opens the room of this id. */
  async open(id: number): Promise<this> {
    await this.page.goto(`/rooms/${id}`);
    await expect(this.composer).toBeVisible();
    return this;
  }

  /** Waits until the page is live: what is typed then goes by the socket. */
  async live(): Promise<this> {
    await expect(this.page.locator('[data-live="true"]')).toBeAttached();
    return this;
  }

  /** Writes and sends as one does: with Enter, but on a phone, where it breaks the line, by the button. */
  async say(text: string): Promise<void> {
    await this.composer.fill(text);
    if (await this.page.evaluate(() => matchMedia('(pointer: coarse)').matches)) await this.send.tap();
    else await this.composer.press('Enter');
  }

  /** The message with this text. */
  message(text: string): Locator {
    return this.messages.filter({ hasText: text });
  }

  /** The button of this action at the message with this text, which the pointer goes to. */
  async action(text: string, name: 'reply' | 'edit' | 'delete' | 'readers' | 'copy-link'): Promise<Locator> {
    const message = this.message(text).last();
    await message.hover();
    return message.getByTestId(name);
  }

  /** Is the message in view? */
  async inView(text: string): Promise<void> {
    await expect(this.message(text).last()).toBeInViewport();
  }
}

/** The browser that all of this runs in: Debian's Chromium, or the one that `CHROMIUM` names. */
export const chromium = {
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: [
    // Containers often lack what the sandbox needs; the browser opens nothing but our own pages.
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
};

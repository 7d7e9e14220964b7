/**
 * localStorage that cannot fail: private windows and full disks throw, and neither may break a conversation.
 */
const PREFIX = "nanoka.";

export function read(key: string): string | null {
  try {
    return localStorage.getItem(PREFIX + key);
  } catch {
    return null;
  }
}

/** Whether it was kept. */
export function write(key: string, value: string | null): boolean {
  try {
    if (value === null) localStorage.removeItem(PREFIX + key);
    else localStorage.setItem(PREFIX + key, value);
    return true;
  } catch {
    return false;
  }
}

export function keys(under: string): string[] {
  try {
    return Object.keys(localStorage)
      .filter((key) => key.startsWith(PREFIX + under))
      .map((key) => key.slice(PREFIX.length));
  } catch {
    return [];
  }
}

import { useEffect, useState } from 'react';

export type Theme = 'auto' | 'light' | 'dark';
const KEY = 'coxswain-theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

const stored = (): Theme => {
  const value = localStorage.getItem(KEY);
  return value === 'light' || value === 'dark' ? value : 'auto';
};

export const isDark = () => (stored() === 'auto' ? dark.matches : stored() === 'dark');

function applyTheme(): void {
  document.documentElement.dataset['theme'] = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
}
dark.addEventListener('change', applyTheme);
applyTheme();

export function setTheme(theme: Theme): void {
  localStorage.setItem(KEY, theme);
  applyTheme();
}

/** Whether the page is dark now; canvases and editors that do not follow CSS redraw by it. */
export function useDark(): boolean {
  const [value, setValue] = useState(isDark);
  useEffect(() => {
    const update = () => setValue(isDark());
    listeners.add(update);
    return () => void listeners.delete(update);
  }, []);
  return value;
}

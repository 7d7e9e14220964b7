import { useWords } from "@/i18n";
import { Center } from "@/shared/center";
import { usePreferences } from "./use-preferences";

export default function NotFound() {
  const words = useWords();
  usePreferences();
  return (
    <main className="flex min-h-dvh flex-col">
      <Center title={words.problem.notFound} note={words.problem.notFoundNote}>
        <a
          href="/"
          className="inline-flex min-h-11 items-center rounded-lg bg-accent px-4 text-sm font-medium text-accent-ink"
        >
          {words.problem.home}
        </a>
      </Center>
    </main>
  );
}

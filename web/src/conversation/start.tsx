import { useWords } from "@/i18n";
import { useLanguageNames } from "@/i18n/language-names";
import { Mark } from "@/shared/mark";
import { useStore } from "@/shared/store";
import { config } from "@/shell/config";

/** The start page: nothing asked yet, and a few ideas. */
export function Start({ onChoose }: { onChoose: (prompt: string) => void }) {
  const words = useWords();
  const only = useLanguageNames(useStore(config).model_languages);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex min-h-full max-w-3xl flex-col justify-center px-4 py-8 sm:px-6">
        <Mark size={36} fading />
        <h1 className="mt-5 text-[1.75rem] leading-tight font-semibold tracking-tight">{words.greeting}</h1>
        <p className="mt-2 leading-7 text-soft">{words.greetingNote}</p>
        {only && <p className="mt-1 leading-7 text-soft">{words.modelLanguages(only)}</p>}
        <ul aria-label={words.examplesLabel} className="mt-7 grid gap-2.5 sm:grid-cols-2">
          {words.examples.map(({ title, prompt }) => (
            <li key={title}>
              <button
                type="button"
                onClick={() => onChoose(prompt)}
                className="flex h-full w-full flex-col rounded-xl border border-line px-4 py-3 text-left transition-colors hover:border-accent hover:bg-raised"
              >
                <span className="text-sm font-medium">{title}</span>
                <span className="mt-0.5 line-clamp-3 text-sm leading-6 text-pretty text-soft">{prompt}</span>
              </button>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}

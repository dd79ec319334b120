"""The configuration file: models, servers, roles, tasks and fallbacks in one text file that a person may write.

It is `codette.yaml` in the data folder, or the file the variable CODETTE_CONFIG names; without it all is as it was.
YAML 1.2, at most 256 KiB; no tags, no objects, aliases within bounds. Its sections, all of which may be left out:

    models:     NAME -> model (a name of the library, a .gguf file, NAME+ADAPTER@SCALE or SERVER/model; default: NAME),
                priority (a whole number, the higher is asked first), fallback (may it stand in for another?),
                cache (may its answers be kept?), gpu (required, preferred, off), apart (in a process of its own?),
                preload, engine (fields of `domain.models.EngineSettings`), sampling (of `domain.requests.Sampling`).
                NAME is then a name of that model everywhere. "auto" and names with "/" are not free.
    servers:    NAME -> url, kind (auto, ollama, openai), token_env (the name of a variable that holds the token)
    roles:      NAME -> title, prompt or prompt_file (from the folder of this file), description, model, sampling
    tasks:      one of the eight types of `domain.tasks.TaskType` -> models (favourites in order), avoid
    fallbacks:  default -> names of models in order; NAME of a model -> its own list
    routing:    local_only (nothing leaves this computer), fallback (may anybody answer in another's place?),
                remote (may "auto" ask models outside this computer?)

In every text `${VAR}` is a variable of the environment, `${VAR:-text}` one with a default, and `$${` is "${" itself.
Every mistake is told with its line; a file with mistakes changes nothing: what was last read without any stays in
force.
"""

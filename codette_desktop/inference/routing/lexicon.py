"""Word families that name a kind of work, in English, German, Spanish and French.

A training set of some hundred prompts cannot hold every word for "test" or "mistake"; these lists can. They say only
which words belong together: how much a family speaks for a task type is learned with everything else. An entry that
ends in "*" stands for every word that begins so. Words are folded (see `features.fold`).
"""

from functools import lru_cache

FAMILIES: dict[str, str] = {
    "make": """
        write writes create make build generate implement* code program* develop add produce give show
        schreib* erstell* programmier* mach* baue entwickl* escrib* crea haz hazme genera anade necesito
        ecri* cree fais genere ajout* besoin brauche
    """,
    "change code": """
        refactor* rewrite convert port simplif* optimi* rename replace extend transpile vectori* inline
        wandle umschreib* convierte convertir refactori*
    """,
    "piece of code": """
        function* method* class classes script* snippet* loop* lambda regex* query queries decorator* hook
        component* oneliner liner module algorithm* iterator* macro* struct enum interface* trait closure*
        array* list dict* hashmap string* pointer* callback* endpoint* formula selector parser wrapper
        command sql html css json csv xml funktion* methode* klasse* skript* abfrage* schleife* ausdruck
        programm funcion* metodo* clase* consulta* bucle* programa fonction* requete* boucle* classe*
        extension expression trigger procedure dockerfile manifest makefile workflow
    """,
    "language": """
        python java javascript typescript js ts golang rust kotlin swift ruby php perl scala haskell elixir
        erlang clojure dart lua julia matlab bash shell powershell zsh awk sed vba assembly fortran cobol c
        r cpp csharp react vue angular svelte django flask spring rails laravel node express numpy pandas
        postgres* mysql sqlite graphql terraform ansible kubernetes docker excel latex pygame fastapi promql
        jq ffmpeg cron vim
    """,
    "test": """
        test* untest* pytest unittest* junit jest mocha vitest cypress playwright selenium rspec xunit nunit
        phpunit mock* stub* fake fakes spy fixture* assert* coverage tdd bdd gherkin cucumber regression e2e
        fuzz* qa hypothesis parametri* parameteri* snapshot* flaky acceptance scenario* mutation k6 locust
        smoke boundary edge prueba* caso* grenzwert* grenzfall* abdeckung simulier* simul* testfall*
        testplan* verify mockito
    """,
    "trouble": """
        error* bug* bugs crash* fail* failing exception* broken breaks break wrong stuck hang* hangs freez*
        stacktrace traceback segfault segmentation panic* fatal leak* deadlock* undefined null none nil nan
        timeout* timed refuse* rejected denied forbidden unexpected* unable cannot cant invalid missing
        disappear* garbled corrupt* overflow stutter* slow slows reboot* restart* kill* killed dump* dumped
        stop* stops glitch* problem* issue* debug* troubleshoot* fix mistake* incorrect* twice sometimes
        randomly suddenly anymore intermittent* fehler* absturz* sturzt abstuerz* kaputt falsch* hangt
        funktioniert plotzlich fallo* falla sale cierra excepcion* roto erreur* plante bogue* marche panne
        probleme* warning
    """,
    "negation": """
        not no doesn't doesnt don't dont isn't isnt won't wont can't didn't never nothing nicht nur kein*
        keine nie nichts sin nunca ne pas rien
    """,
    "since": """
        since yesterday update* upgrade* updating after seit gestern desde ayer depuis hier worked works
    """,
    "why": "why warum wieso weshalb porque pourquoi cause* reason*",
    "document": """
        document* docs doc docstring* readme changelog* javadoc jsdoc kdoc rustdoc godoc phpdoc doxygen
        sphinx manual* guide* tutorial* handbook* reference wiki faq comment* release notes onboarding
        runbook* glossar* tooltip* howto quickstart adr contributing markdown man annotat* openapi swagger
        dokument* anleitung* handbuch* kommentar* kommentier* beschreib* hilfetext* versionshinweis*
        kurzanleitung* guia instruc* comentario* redacta documenta* instructions mode commentaire* redige*
        notice usage instruction* sop
    """,
    "architecture": """
        architect* design* structure* structur* microservice* monolith* modular* layer* component* module*
        service* scal* scalab* schema* topolog* system systems distribut* broker* queue* kafka rabbitmq
        sharding shard* partition* replicat* tenant* sourcing cqrs hexagonal boundary boundaries couple*
        decoupl* coupling contract* interface* protocol* stateless consistency availability serverless
        gateway* backend frontend infrastructure platform* cache caching database* datastore storage entit*
        relation* pattern* stack federation bounded domain persistence abstraction* entwirf* architektur*
        aufbau* schicht* komponent* schnittstelle* datenmodell* datenbank* mandant* arquitectura* disen*
        componente* estructur* capas microservicio* monolito* datos conception concois architecture couche*
        composant* reparti topologie offline sync* plugin* orm
    """,
    "choose": """
        should which best better suit* choose recommend* propose* suggest* prefer sollte* welche* welcher
        conviene deberia propon* quel quelle* vs versus or oder
    """,
    "analyse": """
        analy* compar* contrast evaluat* assess* interpret* review* examin* critic* critiq* judge* conclu*
        conclude* correlat* regress* significan* varianc* statistic* trend* insight* pros cons advantage*
        disadvantage* strength* weakness* swot risk* cause* causes factor* impact* tradeoff* weigh evidence
        argument* reliab* bias* outlier* dataset* data figures table survey* results* study metric*
        benchmark* complexity audit* identify summari* summary difference* findings hypothes* sentiment
        elasticity median average mean auswert* werte vergleich* bewert* vorteil* nachteil* umfrage*
        ergebnis* untersuch* analiz* ventaj* desventaj* inconvenient* conclusion* evalua* resultad* avantag*
        biais resultat* estimat*
    """,
    "plan": """
        plan* planning roadmap* schedul* timeline* milestone* sprint* backlog* agenda* itinerar* checklist*
        deadline* deliverable* phase* phases stage* stages steps step prioriti* priorit* task tasks subtask*
        todo okr* goals goal gantt estimate effort budget* rollout roll week* weekly month* monthly quarter*
        day days calendar* rota routine organi* arrange prepar* project* launch* epic* stories story
        sequence order trip vacation kickoff lay zeitplan* projektplan* lernplan* reise* meilenstein*
        schritt* aufgab* aufteil* planung* aufwand woche* wochen monat* tage planific* cronograma*
        itinerario* semana* dias tarea* etapa* hoja calendrier etape* semaine* mois jours planifi* voyage
        entrainement
    """,
    "chat": """
        hello hi hey thanks thank please joke poem* story lyric* haiku riddle love sad happy feel birthday
        recipe cook* name names translate* translation synonym* meaning means spell* grammar* sentence*
        email mail letter invitation toast speech capital country who when where wrote invented painted tall
        far old hallo danke witz gedicht* geschichte erzahl* ubersetz* hauptstadt wer wann wo hola gracias
        chiste poema* cuento cuent* traduc* quien cuando donde bonjour salut merci blague poeme* histoire
        racont* tradui* qui quand ou film* movie* book* song* animal* dog* cat* sky planet* quote slogan*
        rhyme* limerick* lied reim friend mother sister wedding polite*
    """,
    "fact": "what's whats is are does was were did do wie que como comment",
}

_EXACT: dict[str, list[str]] = {}
_PREFIX: dict[str, list[str]] = {}
for _family, _entries in FAMILIES.items():
    for _entry in dict.fromkeys(_entries.split()):
        _place = _PREFIX if _entry.endswith("*") else _EXACT
        _place.setdefault(_entry.removesuffix("*"), []).append(_family)
_LONGEST = max(map(len, _PREFIX))
_SHORTEST = min(map(len, _PREFIX))


@lru_cache(maxsize=4096)
def families(word: str) -> tuple[str, ...]:
    """The families that a folded word belongs to."""
    found = dict.fromkeys(_EXACT.get(word, ()))
    for length in range(_SHORTEST, min(len(word), _LONGEST) + 1):
        found.update(dict.fromkeys(_PREFIX.get(word[:length], ())))
    return tuple(found)

//! What can be wrong with a Compose project.

use crate::input::problem::Code;

macro_rules! codes {
    ($($name:ident = $id:literal, $title:literal, $explanation:literal;)*) => {
        $(pub(super) static $name: Code = Code { id: $id, title: $title, explanation: $explanation };)*
        /// Codes of Compose files.
        pub const CODES: &[&Code] = &[$(&$name),*];
    };
}

codes! {
    NO_FILE = "PL0101", "there is no Compose file",
        "Without `-f` and without `COMPOSE_FILE`, the folder and those above it are searched for `compose.yaml`, \
         `compose.yml`, `docker-compose.yml` and `docker-compose.yaml`. None is there. Name the file with `-f`.";
    TYPE = "PL0102", "a value has the wrong type",
        "Compose expects another kind of value at this key, such as a list where a mapping stands. A common reason is \
         a missing `-` or a line that is indented too little, so that it belongs to another key.";
    VALUE = "PL0103", "a value is not one that the key can have",
        "The value has the right type but cannot be meant: a size without a known unit, a negative number of CPUs, a \
         duration such as `30` without `s`, a condition that does not exist. The message says what is expected.";
    INTERPOLATION = "PL0104", "a variable is not written as Compose reads it",
        "`$NAME` and `${NAME}` stand for a variable; `${NAME:-default}`, `${NAME-default}`, `${NAME:?message}`, \
         `${NAME?message}`, `${NAME:+other}` and `${NAME+other}` say what happens when it is unset or empty. A dollar \
         sign that is meant as such is written `$$`.";
    REQUIRED = "PL0105", "a required variable is missing",
        "`${NAME:?message}` asks for a variable that must be set and not empty (`?` without the colon: must be set). \
         Set it in the environment, in `.env`, or in a file named with `--env-file`.";
    UNSET = "PL0106", "a variable is not set",
        "The variable has no value in the environment or in an env file, and the Compose file gives no default, so it \
         stands for nothing, as in Compose. Set it, or write `${NAME:-default}`; `$$` if a dollar sign is meant.";
    ENV_FILE = "PL0107", "an env file has a line that is no assignment",
        "An env file holds lines of `NAME=value`. Values may stand in single quotes (taken as they are) or in double \
         quotes (escapes and variables are read, several lines are allowed). `export` before a name and comments \
         after `#` are allowed.";
    MISSING_FILE = "PL0108", "a file named in a Compose file is missing",
        "`env_file`, `include` and `extends` name files. Paths are relative to the project directory, for an extended \
         or included file to its own folder. An `env_file` that may be absent is written with `required: false`.";
    EXTENDS = "PL0109", "`extends` names a service that does not exist",
        "`extends` takes over the keys of another service, of this file or of the one named with `file`. The service \
         is looked up there before any override files are merged.";
    EXTENDS_CYCLE = "PL0110", "`extends` goes round in a circle",
        "A service extends another that in the end extends the first again, so neither can be worked out. Remove one \
         of the `extends` in the circle.";
    INCLUDE_CYCLE = "PL0111", "`include` goes round in a circle",
        "A file includes another that in the end includes the first again. Remove one of the `include` in the circle.";
    CONFLICT = "PL0112", "two included files define the same thing",
        "An included file defines a service, volume, network, secret or config that another file defines differently. \
         Rename one of them; or, to change something that is included, name both files in the `path` of one \
         `include`: the second is then merged over the first.";
    UNDEFINED = "PL0113", "a service refers to something that is not defined",
        "Volumes, networks, secrets and configs that services use must be declared at the top level of the project, \
         and services that others depend on must exist. Check the spelling, or declare it: `volumes: {data: {}}`.";
    DEPENDENCY_CYCLE = "PL0114", "services wait for each other in a circle",
        "Each service in the circle waits for the next one, so none of them would ever start. Remove one of the \
         dependencies.";
    EXCLUSIVE = "PL0115", "two keys say different things about the same",
        "Compose knows two keys for one thing, such as `mem_limit` and `deploy.resources.limits.memory`, and refuses a \
         service where they differ. Keep one of them.";
    MERGE = "PL0116", "an override has another kind of value",
        "When files are merged, mappings are merged with mappings and lists with lists. Write the override in the form \
         of the original, or replace it as a whole with the tag `!override`.";
    NO_IMAGE = "PL0117", "a service has neither image nor build",
        "A container is made from an image, either one that exists (`image`) or one that is built (`build`). A service \
         without both is often the start of an override whose base file was not named with `-f`.";
    LIMIT = "PL0118", "a project is larger than is read",
        "To stay safe with files from anywhere, at most 1000 files, 64 MiB and 32 levels of `include` or `extends` are \
         read for one project, and variables may stand for at most 64 MiB of text.";
    OBSOLETE = "PL0119", "a key is obsolete",
        "Compose still accepts the key but takes no notice of it. Remove it.";
    DISABLED = "PL0120", "a service depends on one that is switched off",
        "The service it waits for belongs to a profile that is not active. Activate the profile with `--profile` or \
         `COMPOSE_PROFILES`, or write `required: false` if it can do without.";
    MISSING_KEY = "PL0121", "a key is missing",
        "The mapping has no meaning without this key. Add it.";
    REMOTE = "PL0122", "a file is not on this machine",
        "Compose can read files from registries and from git; this is not done here, so that a run never depends on \
         the network. Fetch the file and name its path.";
    ODD = "PL0123", "Compose would refuse this or read it otherwise",
        "The file can be read, but Docker Compose itself refuses it or warns about it. The message says why.";
    UNKNOWN = "PL0124", "a key is unknown",
        "Compose does not know the key, so it has no effect. Check the spelling; keys of your own start with `x-`.";
}

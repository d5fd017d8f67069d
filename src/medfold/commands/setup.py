"""Makes and refreshes `.venv` from requirements.lock. Run by make; needs only Python and its standard library.

A lock names each package with its version and the hashes of its files; pip refuses any other file.

Before that it refuses make variables that the target does not have.

    python3 src/medfold/commands/setup.py [--gpu]          make .venv, or do nothing if it is up to date
    python3 src/medfold/commands/setup.py --check          check the interpreter that runs this, make nothing
    ... --targets "train" --variables "FOLD RECIPE"       the variables given to make, for these targets
    ... --help                                            print the help texts of all targets

An error is one line, what is wrong and what to do, and exit code 2. The syntax is that of Python 3.7: a Python that is
too old for medfold must be able to run this file and say so.
"""

import difflib
import glob
import hashlib
import os
import re
import shutil
import subprocess
import sys
import textwrap

MIN_VERSION, MAX_VERSION = (3, 11), (3, 13)
SUPPORTED = "Python %d.%d to %d.%d" % (MIN_VERSION + MAX_VERSION)
ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), *[os.pardir] * 3))
VENV = os.path.join(ROOT, ".venv")
LOCK = os.path.join(ROOT, "requirements.lock")
CPU_BYTES, GPU_BYTES = 4e9, 8e9  # what the packages take
GPU_LOCK = os.path.join(ROOT, "requirements-gpu.lock")  # the same packages, and the CUDA libraries of TensorFlow
STAMP = os.path.join(VENV, "medfold.stamp")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))

COMMON_VARIABLES = {"DEBUG", "GPU", "PYTHON"}  # variables that every target accepts
FLAGS = {"DEBUG", "DRY_RUN", "EXPLAIN", "FORCE", "GPU", "JSON", "PER_CLASS", "YES"}  # on with the value 1

# Prints each module before searching for it. Finding a module is quick and enough, except for cv2, which may be
# installed and still lack a system library.
FIND_MODULES = """
import importlib.util, sys
for module in ("tensorflow", "albumentations", "cv2", "pandas", "sklearn", "iterstrat", "kaggle", "typer"):
    print(module, flush=True)
    if module == "cv2":
        import cv2
    elif importlib.util.find_spec(module) is None:
        sys.exit("not installed")
"""


def fail(text):
    """Prints an error and exits with code 2."""
    sys.stderr.write("medfold: " + text + "\n")
    sys.exit(2)


def read_makefile():
    """Returns the text of the Makefile."""
    with open(os.path.join(ROOT, "Makefile"), encoding="utf-8") as file:
        return file.read()


def read_help_texts():
    """Returns the help text of each make target: what it does and, after three spaces, its variables."""
    return dict(re.findall(r"^([a-z-]+):.*?## (.*)", read_makefile(), re.MULTILINE))


def print_help():
    """Prints the help texts of all make targets, in their sections, within 100 columns."""
    print("medfold: from a competition's name to a checked submission\n")
    for section, target, text in re.findall(r"^(?:##@ (.*)|([a-z-]+):.*?## (.*))$", read_makefile(), re.MULTILINE):
        if section:
            print(f"\n{section}")
            continue
        what, _, variables = text.partition("   ")
        print("  make %-14s %s" % (target, what))
        # A variable with its value, such as SEEDS="0 1", stays on one line.
        words = re.sub(r" (?=[A-Z_]+=)", "\n", variables.strip()).split("\n")
        for line in textwrap.wrap(" ".join(word.replace(" ", "\0") for word in words), 76):
            print(" " * 21, line.replace("\0", " "))
    print("\nDefaults: COMPETITION=phantom-chest (a folder under competition/) RECIPE=baseline FOLD=all SEEDS=0.")
    print("SET changes keys of the recipe, FORCE=1 does again what is done, DEBUG=1 shows the traceback of an error.")
    print("docs/reference.md explains all variables.")


def check_targets(targets, help_texts):
    """Refuses unknown targets before any work; make would run the targets before them."""
    for target in targets:
        if target in help_texts:
            continue
        close = difflib.get_close_matches(target, sorted(help_texts), n=1, cutoff=0.7)
        hint = f" (did you mean '{close[0]}'?)" if close else ""
        if len(targets) > 1 and os.path.isdir(os.path.join(ROOT, "competition", target)):
            hint = f" (did you mean COMPETITION={target}?)"
        elif len(targets) > 1 and glob.glob(os.path.join(ROOT, "competition", "*", glob.escape(target) + ".yaml")):
            hint = f" (did you mean RECIPE={target}?)"
        fail(f"no target '{target}'{hint}. make help lists all targets")


def check_variables(targets, variables, help_texts):
    """Refuses variables that the make targets do not take, which make itself would ignore; and flags other than 1."""
    known = {variable for target in targets for variable in re.findall(r"\b([A-Z_]+)=", help_texts.get(target, ""))}
    for variable in variables:
        if variable not in known | COMMON_VARIABLES:
            close = difflib.get_close_matches(variable.upper(), sorted(known), n=1, cutoff=0.5)
            hint = f" (did you mean {close[0]}=?)" if close else ""
            variables_text = "Variables: " + ", ".join(sorted(known)) if known else "It has no variables"
            fail(f"make {' '.join(targets)} has no variable {variable}={hint}. {variables_text}")
    for flag in sorted(FLAGS & (known | {"DEBUG"} & set(variables))):  # flags in the environment, too
        value = os.environ.get(flag, "")
        if value not in ("", "1"):
            fail(f"{flag}={value}: expected 1. Leave {flag} out for no")


def option_values(option):
    """Returns the values of a command-line option, separated by spaces; an empty list without the option."""
    return sys.argv[sys.argv.index(option) + 1].split() if option in sys.argv else []


def is_supported(version):
    """Returns True for a Python version, such as sys.version_info, that medfold runs on."""
    return MIN_VERSION <= tuple(version[:2]) <= MAX_VERSION


def find_python():
    """Returns this interpreter if its version is supported, else the newest supported one on the PATH."""
    if is_supported(sys.version_info):
        return sys.executable
    for minor in range(MAX_VERSION[1], MIN_VERSION[1] - 1, -1):
        python = shutil.which(f"python3.{minor}")
        if python and subprocess.call([python, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL) == 0:
            return python
    return fail(
        "Python %d.%d is installed; %s is needed. Install one (python.org, or apt install python3.12"
        " python3.12-venv) or name one: make PYTHON=/path/to/python" % (sys.version_info[:2] + (SUPPORTED,))
    )


def expected_stamp(gpu):
    """Returns the stamp of an up-to-date .venv: a hash of what it is made from, and whether it is for GPUs."""
    with open(GPU_LOCK if gpu else LOCK, "rb") as file:
        lock = file.read()
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        project = file.read()
    digest = hashlib.sha256(lock + b"\0" + project + b"\0" + ROOT.encode("utf-8")).hexdigest()
    return digest + (" gpu" if gpu else "")


def installed_stamp():
    """Returns the stamp of the existing .venv; '' without one."""
    try:
        with open(STAMP) as file:
            return file.read().strip()
    except OSError:
        return ""


def run(command, what):
    """Runs a command silently; if it fails, exits with its errors, or its last line, as the message.

    what: what the command does, for the message.
    """
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, cwd=ROOT)
    if result.returncode:
        lines = result.stdout.decode("utf-8", "replace").strip().splitlines()
        errors = [line for line in lines if line.lower().startswith("error")] or lines[-1:]
        fail(f"{what} failed ({'; '.join(errors)[:400]}). Fix the cause and run the same command again")


def locked_version(package):
    """Returns the version of a package in requirements.lock."""
    with open(LOCK) as file:
        match = re.search(rf"^{re.escape(package)}==([^\s;]+)", file.read(), re.MULTILINE)
    return match.group(1)


def locked_lines(package):
    """Returns the lines of a package in requirements.lock: its version and its hashes."""
    with open(LOCK) as file:
        match = re.search(rf"^{re.escape(package)}==.*\n(?:\s+--hash=.*\n)*", file.read(), re.MULTILINE)
    return match.group(0)


def make_venv(gpu):
    """Makes .venv, installs the packages, and writes the stamp last.

    gpu: also install the CUDA libraries of TensorFlow.
    """
    lock = GPU_LOCK if gpu else LOCK
    python = find_python()
    if subprocess.call([python, "-c", "import venv, ensurepip"], stderr=subprocess.DEVNULL) != 0:
        fail(f"the venv module of {python} is missing. Install it: apt install python3-venv (Debian, Ubuntu)")
    free_bytes = shutil.disk_usage(ROOT).free
    needed = GPU_BYTES if gpu else CPU_BYTES
    if free_bytes < needed:
        fail(f"{free_bytes / 1e9:.1f} GB free on the disk of {ROOT}, the packages need {needed / 1e9:.0f} GB")
    sys.stdout.write(
        f"setup      installing the packages of {os.path.basename(lock)} into .venv, a few minutes the first time\n"
    )
    sys.stdout.flush()
    if os.path.exists(STAMP):
        os.remove(STAMP)
    run([python, "-m", "venv", VENV], "making .venv")
    pip = [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(pip + ["--require-hashes", "--requirement", lock], f"installing {os.path.basename(lock)}")
    # Both OpenCV wheels unpack into one folder; the headless one must come last to win.
    headless = os.path.join(VENV, "opencv-python-headless.txt")
    with open(headless, "w") as file:
        file.write(locked_lines("opencv-python-headless"))
    options = ["--no-deps", "--force-reinstall", "--require-hashes", "--requirement", headless]
    run(pip + options, "installing OpenCV")
    os.remove(headless)
    run(pip + ["--no-deps", "--no-build-isolation", "--editable", ROOT], "installing medfold")
    check(PYTHON)
    with open(STAMP, "w") as file:
        file.write(expected_stamp(gpu))


def check(python):
    """Refuses an interpreter that cannot run medfold."""
    code = "import sys; print(*sys.version_info[:2])"
    version = tuple(int(part) for part in subprocess.check_output([python, "-c", code]).split())
    if not is_supported(version):
        fail(
            "%s is Python %d.%d; %s is needed. Name another: make PYTHON=/path/to/python"
            % ((python,) + version + (SUPPORTED,))
        )
    result = subprocess.run([python, "-c", FIND_MODULES], capture_output=True)
    if result.returncode:
        module = (result.stdout.decode().split() or ["medfold's packages"])[-1]
        reason = result.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        reason = reason[0] if reason else "exit code %d" % result.returncode
        remedy = f"{python} -m pip install -r requirements.txt"
        if module == "cv2" and ".so" in reason:
            remedy = "{} -m pip install --force-reinstall --no-deps opencv-python-headless=={}".format(
                python,
                locked_version("opencv-python-headless"),
            )
        fail(f"import {module} fails in {python} ({reason}). Run: {remedy}")


def main():
    """Runs the options of the command line."""
    if "--help" in sys.argv:
        print_help()
        return
    targets = option_values("--targets")
    if targets:
        help_texts = read_help_texts()
        check_targets(targets, help_texts)
        check_variables(targets, option_values("--variables"), help_texts)
    if "--check" in sys.argv:
        check(sys.executable)
        return
    gpu = "--gpu" in sys.argv
    current = installed_stamp()
    # A plain target keeps the CUDA libraries that `make setup GPU=1` added.
    if not os.path.exists(PYTHON) or current not in (
        [expected_stamp(True)] if gpu else [expected_stamp(False), expected_stamp(True)]
    ):
        make_venv(gpu or current.endswith(" gpu"))


if __name__ == "__main__":
    main()

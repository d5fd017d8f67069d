from medfold.errors import UserError, did_you_mean, shorten_list


def test_a_user_error_is_one_line_with_place_and_remedy():
    assert str(UserError("no column 'id'", "train.csv", "Add it")) == "train.csv: no column 'id'. Add it"
    assert str(UserError("no column 'id'")) == "no column 'id'"


def test_did_you_mean_names_a_close_word_only():
    assert did_you_mean("retina", ["retinamnist", "breastmnist"]) == " (did you mean 'retinamnist'?)"
    assert did_you_mean("xyz", ["retinamnist"]) == ""


def test_shorten_list_counts_what_it_leaves_out():
    assert shorten_list(range(5)) == "0, 1, 2 and 2 more"
    assert shorten_list(["a", "b"]) == "a, b"

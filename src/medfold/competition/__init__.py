"""What a competition is: facts, recipes, the project folder."""

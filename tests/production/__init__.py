"""What is deployed is what is tested: the packages, the files and the processes of production."""
